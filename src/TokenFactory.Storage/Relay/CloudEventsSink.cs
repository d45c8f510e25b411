using System.Net;
using System.Net.Http.Headers;
using TokenFactory.Storage.Outbox;

namespace TokenFactory.Storage.Relay;

/// <summary>
/// Posts events as CloudEvents 1.0 over HTTP, structured mode. 2xx acknowledges; 408, 429, 5xx and a broken connection are tried
/// again; every other answer is the batch's own fault. The media types carry no charset: JSON has none, and strict consumers refuse it.
/// </summary>
internal sealed class CloudEventsSink(SinkOptions options, HttpMessageHandler handler) : ISink, IDisposable
{
    private const int ErrorExcerpt = 512;

    private static readonly MediaTypeHeaderValue _single = new("application/cloudevents+json");
    private static readonly MediaTypeHeaderValue _batch = new("application/cloudevents-batch+json");

    private readonly HttpClient _client = new(handler) { Timeout = options.Timeout };

    public string Name => options.Name;

    /// <summary>One at a time where the consumer takes no batches: an acknowledgement then always means exactly that event.</summary>
    public int MaxBatch => options.Batch ? options.BatchSize : 1;

    /// <summary>No redirects: a credential is for the origin it was given for. No proxy from the environment, no cookies.</summary>
    public static HttpMessageHandler Handler() => new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        ActivityHeadersPropagator = null,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
    };

    public async Task DeliverAsync(IReadOnlyList<OutboxMessage> batch, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, options.Url) { Content = Body(batch) };
        if (options.Credential is { } credential)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", credential);
        }

        using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
        if (response.IsSuccessStatusCode)
        {
            return;
        }

        var said = $"{(int)response.StatusCode} {response.ReasonPhrase}: {await ExcerptAsync(response, cancel)}";
        if (IsForGood(response.StatusCode))
        {
            throw new SinkRejectedException(said);
        }

        throw new HttpRequestException(said, null, response.StatusCode);
    }

    public void Dispose() => _client.Dispose();

    /// <summary>
    /// 401, 403 and 404 too are told of us and not of the event: a wrong credential or address must not park every event there is.
    /// </summary>
    private static bool IsForGood(HttpStatusCode status) => (int)status is >= 400 and < 500
        && status is not (HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.NotFound);

    private static async Task<string> ExcerptAsync(HttpResponseMessage response, CancellationToken cancel)
    {
        using var body = await response.Content.ReadAsStreamAsync(cancel);
        var bytes = new byte[ErrorExcerpt];
        var read = await body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancel);
        return System.Text.Encoding.UTF8.GetString(bytes, 0, read);
    }

    private ByteArrayContent Body(IReadOnlyList<OutboxMessage> batch)
    {
        if (!options.Batch)
        {
            return new ByteArrayContent(batch[0].Body.ToArray()) { Headers = { ContentType = _single } };
        }

        using var array = new MemoryStream(batch.Sum(message => message.Body.Length + 1) + 1);
        for (var index = 0; index < batch.Count; index++)
        {
            array.WriteByte(index == 0 ? (byte)'[' : (byte)',');
            array.Write(batch[index].Body.Span);
        }

        array.WriteByte((byte)']');
        return new ByteArrayContent(array.GetBuffer(), 0, (int)array.Length) { Headers = { ContentType = _batch } };
    }
}
