using System.Net.Http.Headers;
using TokenFactory.Inference.Dispatch.Standing;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Storage.Journal;

namespace TokenFactory.Inference.Dispatch;

/// <summary>
/// Turns a backend's refusal into the gateway's own: its words are kept where the caller can act on them, its status where
/// SDKs act rightly on it. A backend's 401 is never passed on: the caller would blame its own key.
/// </summary>
internal static class BackendRefusal
{
    private const int ReadBytes = 64 * 1024;

    public static async ValueTask<GatewayError> ReadAsync(HttpResponseMessage response, Secret? credential, CancellationToken cancel)
    {
        var status = (int)response.StatusCode;
        switch (status)
        {
            case 401 or 403 or 407:
                return GatewayError.BackendRejectedUs;
            case 408 or 504:
                return GatewayError.BackendTimedOut;
            case 402 or 429:
                // An account without credit is the operator's, and serves nobody until it is filled.
                return GatewayError.BackendBusy with { RetryAfter = RetryAfter(response.Headers.RetryAfter) ?? GatewayError.BackendBusy.RetryAfter };
            case 503 or 529:
                return GatewayError.NoBackend with { RetryAfter = RetryAfter(response.Headers.RetryAfter) ?? GatewayError.NoBackend.RetryAfter };
            case < 400 or 424 or >= 500:
                return GatewayError.BackendFailed;
        }

        var error = BackendError.Read((await HeadAsync(response, cancel)).Span, status).Without(credential);
        var code = IsContext(error) ? "context_length_exceeded" : error.Code;
        return GatewayError.FromBackend(status, error.Message, IsContext(error) ? null : error.Type, code, error.Param);
    }

    /// <summary>
    /// A spent quota, which everybody who asks there meets until it is renewed, or an overload that says how long it lasts. An overload
    /// that does not say is a failure like others.
    /// </summary>
    public static (string Reason, TimeSpan? Asked)? RestOf(HttpResponseMessage response, DateTimeOffset now)
    {
        var status = (int)response.StatusCode;
        var asked = status is 402 or 429 or 503 or 529 ? QuotaSignal.RestOf(response.Headers, now) : null;
        return status is 402 or 429 ? (Skip.QuotaSpent, asked) : asked is null ? null : (Skip.Overloaded, asked);
    }

    /// <summary>Whether a backend that answers so has worked on the prompt: not when it only turned the request away.</summary>
    public static bool TookPrompt(int status) => status is 424 or (>= 500 and not (503 or 529));

    private static bool IsContext(BackendError error) =>
        error.Type == "exceed_context_size_error"
        || error.Code == "context_length_exceeded"
        || (error.Message?.Contains("maximum context length", StringComparison.OrdinalIgnoreCase) ?? false)
        || (error.Message?.StartsWith("prompt is too long", StringComparison.OrdinalIgnoreCase) ?? false);

    private static TimeSpan? RetryAfter(RetryConditionHeaderValue? value) => value?.Delta;

    private static async ValueTask<ReadOnlyMemory<byte>> HeadAsync(HttpResponseMessage response, CancellationToken cancel)
    {
        var buffer = new byte[ReadBytes];
        var length = 0;
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(cancel);
            while (length < buffer.Length)
            {
                var read = await body.ReadAsync(buffer.AsMemory(length), cancel);
                if (read == 0)
                {
                    break;
                }

                length += read;
            }
        }
        catch (Exception cut) when (cut is IOException or HttpRequestException or OperationCanceledException)
        {
            // The status is known already; the words that arrived have to do.
        }

        return buffer.AsMemory(0, length);
    }
}
