using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using TokenFactory.Administration.Configuration.Settings;

namespace TokenFactory.Administration.Registration;

/// <summary>Asks the control plane. No proxy, no cookie and no redirect: the credential goes to the configured address and nowhere else.</summary>
internal sealed class FeedClient : IDisposable
{
    private readonly RegistryFeedSettings _settings;
    private readonly HttpClient _http;
    private readonly Uri _address;
    private EntityTagHeaderValue? _known;

    public FeedClient(RegistryFeedSettings settings)
    {
        _settings = settings;
        _address = new Uri(settings.Url.AbsoluteUri.TrimEnd('/') + "/registry");
        _http = new HttpClient(new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            ConnectTimeout = settings.Timeout,

            // A control plane that moved is found again: names are resolved for new connections only.
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        })
        {
            Timeout = settings.Timeout,
            MaxResponseContentBufferSize = settings.AnswerLimitBytes,
        };
    }

    /// <returns>Null: it is what was answered before, and taken.</returns>
    /// <exception cref="FeedRefusedException">There is no answer that can be read.</exception>
    public async Task<FeedAnswer?> AskAsync(CancellationToken cancel)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, _address);
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _settings.Credential.Reveal());
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
            if (_known is { } known)
            {
                request.Headers.IfNoneMatch.Add(known);
            }

            using var response = await _http.SendAsync(request, cancel);
            if (response.StatusCode == HttpStatusCode.NotModified && _known is not null)
            {
                return null;
            }

            if (response.StatusCode != HttpStatusCode.OK)
            {
                throw new FeedRefusedException(
                    FeedRefusal.BadStatus, string.Create(CultureInfo.InvariantCulture, $"it answered {(int)response.StatusCode}{Advice(response.StatusCode)}"));
            }

            var answer = FeedAnswer.Read(await response.Content.ReadAsByteArrayAsync(cancel));
            Asked = response.Headers.ETag;
            return answer;
        }
        catch (OperationCanceledException e) when (!cancel.IsCancellationRequested)
        {
            throw new FeedRefusedException(FeedRefusal.TimedOut, "its answer takes longer than registry.timeout", e);
        }
        catch (HttpRequestException e) when (e.HttpRequestError == HttpRequestError.ConfigurationLimitExceeded)
        {
            throw new FeedRefusedException(FeedRefusal.TooLarge, "its answer is larger than registry.answer_limit", e);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw new FeedRefusedException(FeedRefusal.Unreachable, $"it cannot be reached ({e.Message})", e);
        }
    }

    /// <summary>The last answer is in force: it need not be sent again. One that was refused is asked for again and again, for what it lacked may have come.</summary>
    public void Taken() => _known = Asked;

    public void Dispose() => _http.Dispose();

    private EntityTagHeaderValue? Asked { get; set; }

    private static string Advice(HttpStatusCode status) => status switch
    {
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => ": check registry.credential",
        HttpStatusCode.NotFound => ": check registry.url",
        >= HttpStatusCode.Moved and < HttpStatusCode.BadRequest => ": redirects are not followed, check registry.url",
        _ => "",
    };
}
