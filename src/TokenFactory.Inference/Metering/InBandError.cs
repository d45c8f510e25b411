using System.Globalization;
using TokenFactory.Inference.Dispatch;
using TokenFactory.Inference.Intake;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Inference.Metering;

/// <summary>An error inside a 200: what it would have been as a status.</summary>
internal static class InBandError
{
    public static Failure ToFailure(BackendError error, Ask ask)
    {
        var status = error.Status ?? (int.TryParse(error.Code, NumberStyles.None, CultureInfo.InvariantCulture, out var code) ? code : StatusOf(error.Type));

        // 4xx about the request keeps its words; everything else is the backend's own trouble, whose words are not for the caller.
        return status is >= 400 and < 500 and not (401 or 403 or 408 or 429)
            ? new Failure(Outcome.Failed, GatewayError.FromBackend(status, ask.InClientsWords(error.Message), error.Type, error.Code, error.Param), TookPrompt: false)
            : new Failure(Outcome.Failed, GatewayError.BackendFailed, TookPrompt: true);
    }

    /// <summary>Anthropic names the kind and no status.</summary>
    private static int StatusOf(string? type) => type switch
    {
        "invalid_request_error" => 400,
        "not_found_error" => 404,
        "request_too_large" => 413,
        _ => 500,
    };
}
