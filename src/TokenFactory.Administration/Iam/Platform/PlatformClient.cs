using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using TokenFactory.Administration.Configuration.Settings;

namespace TokenFactory.Administration.Iam.Platform;

/// <summary>Asks the platform. No proxy, no cookie and no redirect: the credential goes to the configured address and nowhere else.</summary>
internal sealed class PlatformClient : IDisposable
{
    private readonly PlatformSettings _settings;
    private readonly TimeProvider _clock;
    private readonly HttpClient _http;

    public PlatformClient(PlatformSettings settings, TimeProvider clock)
    {
        _settings = settings;
        _clock = clock;
        _http = new HttpClient(new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            ConnectTimeout = settings.Timeout,

            // A platform that moved is found again: names are resolved for new connections only.
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        })
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    /// <param name="since">Null asks for everything.</param>
    /// <exception cref="AnswerRefusedException">There is no answer, or none with a body to read.</exception>
    public async Task<PlatformAnswer> AskAsync(long? since, string? eTag, CancellationToken cancel)
    {
        var clock = new AnswerClock(_settings.Timeout, _clock, cancel);
        HttpResponseMessage? response = null;
        try
        {
            using var request = Question(since, eTag);
            response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, clock.Token);
            if (response.StatusCode == HttpStatusCode.NotModified && request.Headers.IfNoneMatch.Count > 0)
            {
                return new PlatformAnswer(response, null, clock);
            }

            if (response.StatusCode != HttpStatusCode.OK)
            {
                throw new AnswerRefusedException(AnswerRefusal.BadStatus, string.Create(CultureInfo.InvariantCulture, $"it answered {(int)response.StatusCode}{Advice(response.StatusCode)}"));
            }

            var body = await response.Content.ReadAsStreamAsync(clock.Token);
            return new PlatformAnswer(response, new JsonLines(body, _settings.AnswerLimitBytes, clock.Listen), clock);
        }
        catch (Exception e)
        {
            response?.Dispose();
            clock.Dispose();
            if (!cancel.IsCancellationRequested && e is HttpRequestException or IOException or OperationCanceledException)
            {
                throw Refused(e);
            }

            throw;
        }
    }

    public static AnswerRefusedException Refused(Exception cause) => cause is OperationCanceledException
        ? new AnswerRefusedException(AnswerRefusal.TimedOut, "it is silent for longer than iam.timeout", cause)
        : new AnswerRefusedException(AnswerRefusal.Unreachable, $"it cannot be reached ({cause.Message})", cause);

    public void Dispose() => _http.Dispose();

    private HttpRequestMessage Question(long? since, string? eTag)
    {
        var query = since is { } version ? string.Create(CultureInfo.InvariantCulture, $"?since={version}") : "";
        var request = new HttpRequestMessage(HttpMethod.Get, new Uri(_settings.Url.AbsoluteUri.TrimEnd('/') + "/read-model" + query));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _settings.Credential.Reveal());
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/x-ndjson"));
        if (since is not null && eTag is not null && EntityTagHeaderValue.TryParse(eTag, out var known))
        {
            request.Headers.IfNoneMatch.Add(known);
        }

        return request;
    }

    private static string Advice(HttpStatusCode status) => status switch
    {
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => ": check iam.credential",
        HttpStatusCode.NotFound => ": check iam.url",
        >= HttpStatusCode.Moved and < HttpStatusCode.BadRequest => ": redirects are not followed, check iam.url",
        _ => "",
    };
}
