using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using TokenFactory.Inference.ReadModel.Policies;

namespace TokenFactory.Inference.Policy;

/// <summary>
/// Asks the decision endpoint, once and within its time. No proxy, no cookie, no redirect, no trace header: the question goes to the configured
/// address and nothing else does. Fails closed: whatever is no clear answer in time is an outcome that refuses.
/// </summary>
internal sealed partial class DecisionEndpoint(GatewayMetrics metrics, TimeProvider clock, ILogger<DecisionEndpoint> logger) : IDisposable
{
    private const int MostAnswerBytes = 64 << 10;

    // Longer than a question may take: a slow handshake ends for the questions after it.
    private static readonly TimeSpan _connect = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan _sayAtMostEvery = TimeSpan.FromSeconds(10);

    private readonly Lock _changing = new();
    private (ExternalPolicy Settings, HttpMessageInvoker Client)? _current;
    private int _inFlight;
    private ExternalOutcome? _said;
    private long _saidAt;

    /// <param name="abort">The caller went away; only then it throws.</param>
    public async Task<ExternalAnswer> AskAsync(ExternalPolicy settings, ReadOnlyMemory<byte> question, CancellationToken abort)
    {
        var startedAt = clock.GetTimestamp();
        metrics.ExternalStarted();
        try
        {
            var answer = Interlocked.Increment(ref _inFlight) > settings.MaxInFlight
                ? new ExternalAnswer(settings.Origin, ExternalOutcome.Busy)
                : await AskInTimeAsync(settings, question, abort);
            metrics.ExternalAnswered(answer.Word, clock.GetElapsedTime(startedAt));
            Say(answer);
            return answer;
        }
        finally
        {
            Interlocked.Decrement(ref _inFlight);
            metrics.ExternalEnded();
        }
    }

    public void Dispose() => _current?.Client.Dispose();

    private async Task<ExternalAnswer> AskInTimeAsync(ExternalPolicy settings, ReadOnlyMemory<byte> question, CancellationToken abort)
    {
        using var deadline = new CancellationTokenSource(settings.Timeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, abort);
        try
        {
            using var request = Question(settings, question);
            using var response = await ClientFor(settings).SendAsync(request, either.Token);
            if (response.StatusCode != HttpStatusCode.OK)
            {
                return new ExternalAnswer(settings.Origin, ExternalOutcome.BadStatus);
            }

            return await ReadAsync(response.Content, either.Token) is { } body
                ? ExternalAnswerReader.Read(settings.Origin, body)
                : new ExternalAnswer(settings.Origin, ExternalOutcome.TooLarge);
        }
        catch (Exception e) when (!abort.IsCancellationRequested && e is HttpRequestException or IOException or OperationCanceledException)
        {
            return new ExternalAnswer(settings.Origin, e is OperationCanceledException || deadline.IsCancellationRequested ? ExternalOutcome.TimedOut : ExternalOutcome.Unreachable);
        }
    }

    private static HttpRequestMessage Question(ExternalPolicy settings, ReadOnlyMemory<byte> question)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, settings.Url) { Content = new ReadOnlyMemoryContent(question) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        if (settings.Credential is { } credential)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", credential.Reveal());
        }

        foreach (var (name, value) in settings.Headers)
        {
            request.Headers.TryAddWithoutValidation(name, value.Reveal());
        }

        return request;
    }

    /// <returns>Null when it is longer than an answer may be.</returns>
    private static async Task<ReadOnlyMemory<byte>?> ReadAsync(HttpContent content, CancellationToken cancel)
    {
        if (content.Headers.ContentLength > MostAnswerBytes)
        {
            return null;
        }

        var buffer = new ArrayBufferWriter<byte>(1024);
        await using var body = await content.ReadAsStreamAsync(cancel);
        while (true)
        {
            var read = await body.ReadAsync(buffer.GetMemory(1024), cancel);
            if (read == 0)
            {
                return buffer.WrittenMemory;
            }

            buffer.Advance(read);
            if (buffer.WrittenCount > MostAnswerBytes)
            {
                return null;
            }
        }
    }

    /// <summary>Settings are changed as one: a new configuration gets connections of its own, and those before it close when they are idle.</summary>
    private HttpMessageInvoker ClientFor(ExternalPolicy settings)
    {
        lock (_changing)
        {
            if (_current is { } current && ReferenceEquals(current.Settings, settings))
            {
                return current.Client;
            }

            var client = NewClient(settings);
            _current = (settings, client);
            return client;
        }
    }

    private static HttpMessageInvoker NewClient(ExternalPolicy settings)
    {
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            UseCookies = false,
            ActivityHeadersPropagator = null,
            MaxResponseDrainSize = 0,
            MaxResponseHeadersLength = 16,
            MaxConnectionsPerServer = settings.MaxInFlight,
            ConnectTimeout = _connect,

            // Shorter than servers usually keep one: a question on a connection that is just being closed would be lost.
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        };
        if (settings.Authorities is { } authorities)
        {
            var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            policy.CustomTrustStore.AddRange(authorities);
            handler.SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy };
        }

        return new HttpMessageInvoker(handler);
    }

    /// <summary>When it begins to fail in another way, and when it answers again; not for every turn of one that does both.</summary>
    private void Say(ExternalAnswer answer)
    {
        ExternalOutcome? failure = answer.Outcome >= ExternalOutcome.TimedOut ? answer.Outcome : null;
        if (failure == _said || (_saidAt != 0 && clock.GetElapsedTime(_saidAt) < _sayAtMostEvery))
        {
            return;
        }

        (_said, _saidAt) = (failure, clock.GetTimestamp());
        if (failure is null)
        {
            Log.Answers(logger, answer.Origin);
        }
        else
        {
            Log.Fails(logger, answer.Origin, answer.Word);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(5001, LogLevel.Error, "The decision endpoint {Origin} gives no answer that can be taken ({Outcome}); requests are refused with 503")]
        public static partial void Fails(ILogger logger, string origin, string outcome);

        [LoggerMessage(5002, LogLevel.Information, "The decision endpoint {Origin} answers again")]
        public static partial void Answers(ILogger logger, string origin);
    }
}
