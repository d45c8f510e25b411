using TokenFactory.Inference.Limits;

namespace TokenFactory.Inference;

/// <summary>
/// The closed list of what the gateway answers when it does not serve: HTTP status, OpenAI's error object (type, code,
/// param, message) and the label that metrics and settlements carry. Statuses and codes are those SDKs act on.
/// </summary>
public sealed record GatewayError
{
    private const string InvalidRequest = "invalid_request_error";
    private const string ServerError = "server_error";
    private const string Unavailable = "service_unavailable_error";

    public required int Status { get; init; }

    public required string Type { get; init; }

    public string? Code { get; init; }

    public string? Param { get; init; }

    public required string Message { get; init; }

    /// <summary>Bounded: one of this file's own words.</summary>
    public required string Label { get; init; }

    /// <summary>Sent as whole seconds, 1 to 60: the only thing every SDK obeys.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Whether SDKs are told not to try again by themselves.</summary>
    public bool DoNotRetry { get; init; }

    /// <summary>The gateway's own trouble: it says nothing of a backend, and no other backend would do better.</summary>
    public bool IsOwn { get; init; }

    public static GatewayError MissingKey { get; } = Of(401, InvalidRequest, null, "missing_key",
        "You did not send an API key. Send it as 'Authorization: Bearer <key>' or 'X-API-Key: <key>'.");

    public static GatewayError InvalidKey { get; } = Of(401, InvalidRequest, "invalid_api_key", "invalid_key",
        "The API key is not valid. Check for a typing error, or create a new key.");

    public static GatewayError ExpiredKey { get; } = Of(401, InvalidRequest, "invalid_api_key", "expired_key",
        "The API key has expired. Create a new key, or ask an administrator to extend it.");

    public static GatewayError RevokedKey { get; } = Of(401, InvalidRequest, "invalid_api_key", "revoked_key",
        "The API key was revoked. Create a new key.");

    public static GatewayError StaleReadModel { get; } = Of(503, Unavailable, "access_unavailable", "stale_read_model",
        "Keys cannot be verified at the moment. Try again shortly.") with
    { RetryAfter = TimeSpan.FromSeconds(5) };

    public static GatewayError UnsupportedMediaType { get; } = Of(415, InvalidRequest, "unsupported_media_type", "media_type",
        "Send the request body as 'Content-Type: application/json', without a content encoding.");

    public static GatewayError AmbiguousLength { get; } = Of(400, InvalidRequest, null, "ambiguous_length",
        "The request has both Content-Length and Transfer-Encoding. Send one of them.");

    public static GatewayError InvalidUtf8 { get; } = Of(400, InvalidRequest, null, "invalid_utf8",
        "The request body is not valid UTF-8.");

    public static GatewayError BodyInterrupted { get; } = Of(400, InvalidRequest, null, "body_interrupted",
        "The request body ended early or was not framed correctly. Send it whole.");

    public static GatewayError NoRoomForBody { get; } = Of(503, Unavailable, "server_is_overloaded", "body_budget",
        "The gateway is holding as many bodies as it has memory for. Try again shortly.") with
    { RetryAfter = TimeSpan.FromSeconds(1), IsOwn = true };

    public static GatewayError NoRoomForAnswer { get; } = Of(503, Unavailable, "server_is_overloaded", "answer_budget",
        "The gateway is holding as many bodies as it has memory for, and this answer would have to be held. Try again shortly.") with
    { RetryAfter = TimeSpan.FromSeconds(1), IsOwn = true };

    public static GatewayError JournalUnavailable { get; } = Of(503, Unavailable, "usage_not_recorded", "journal_unavailable",
        "Usage cannot be recorded at the moment, so no request is served. Try again shortly.") with
    { RetryAfter = TimeSpan.FromSeconds(2), IsOwn = true };

    public static GatewayError PolicyUnavailable { get; } = Of(503, Unavailable, "policy_unavailable", "policy_unavailable",
        "The policy cannot be asked at the moment, so no request is served. Try again shortly.") with
    { RetryAfter = TimeSpan.FromSeconds(2) };

    public static GatewayError LimiterUnavailable { get; } = Of(503, Unavailable, "limits_unavailable", "limiter_unavailable",
        "Limits cannot be checked at the moment, so no request is served. Try again shortly.") with
    { RetryAfter = TimeSpan.FromSeconds(2) };

    public static GatewayError NoBackend { get; } = Of(503, Unavailable, "server_is_overloaded", "no_backend",
        "No backend of this model is available at the moment. Try again shortly.") with
    { RetryAfter = TimeSpan.FromSeconds(5) };

    public static GatewayError BackendBusy { get; } = Of(429, "rate_limit_error", "rate_limit_exceeded", "backend_busy",
        "The model's backend is over its own rate limit. Try again shortly.") with
    { RetryAfter = TimeSpan.FromSeconds(5) };

    public static GatewayError BackendFailed { get; } = Of(502, ServerError, "upstream_error", "backend_failed",
        "The model's backend failed. Try again.");

    /// <summary>The owner of the endpoint is told that, and not which address or range it is: that is in the operator's log.</summary>
    public static GatewayError AddressNotAllowed { get; } = Of(502, ServerError, "upstream_error", "address_not_allowed",
        "The model's endpoint is at an address that the gateway does not connect to. Tell whoever set the endpoint up.");

    public static GatewayError EndpointChanged { get; } = Of(503, Unavailable, "server_is_overloaded", "endpoint_changed",
        "The model's endpoint was changed while the request was on its way to it. Send it again.") with
    { RetryAfter = TimeSpan.FromSeconds(1) };

    public static GatewayError BackendCut { get; } = Of(502, ServerError, "upstream_error", "backend_cut",
        "The model's backend ended its answer early. What was received is incomplete.");

    public static GatewayError BackendTimedOut { get; } = Of(504, ServerError, "upstream_timeout", "backend_timed_out",
        "The model's backend did not answer in time. Try again, or ask for a shorter answer.");

    public static GatewayError BackendRejectedUs { get; } = Of(502, ServerError, "upstream_error", "backend_rejected_credential",
        "The model's backend refused the gateway's own credential. This is not about your key; tell the gateway's operator.");

    public static GatewayError Draining { get; } = Of(503, Unavailable, "server_draining", "draining",
        "The gateway is shutting down. Send the request again.") with
    { RetryAfter = TimeSpan.FromSeconds(1), IsOwn = true };

    public static GatewayError ClientCut { get; } = Of(499, InvalidRequest, "client_closed_request", "client_cut",
        "The client closed the connection.");

    /// <summary>499, as for a client that left: SDKs repeat a 409 or any 5xx by themselves, and would start again what somebody stopped.</summary>
    public static GatewayError RequestCancelled { get; } = Of(499, InvalidRequest, "request_cancelled", "request_cancelled",
        "The request was cancelled by POST /v1/requests/{id}/cancel before it had ended.") with
    { DoNotRetry = true };

    public static GatewayError Internal { get; } = Of(500, ServerError, "internal_error", "internal_error",
        "The gateway met an error of its own. Try again; if it stays, report the request id.") with
    { IsOwn = true };

    public static GatewayError UnknownUrl(string method, string path) => Of(404, InvalidRequest, "unknown_url", "unknown_url",
        $"Unknown request URL: {method} {path}. Check the path; the API lies under /v1.");

    public static GatewayError WrongMethod(string method, string path, string allowed) => Of(405, InvalidRequest, "method_not_supported", "wrong_method",
        $"Not allowed to {method} on {path}. Use {allowed}.");

    public static GatewayError BodyTooLarge(long limitBytes) => Of(413, InvalidRequest, "request_too_large", "body_too_large",
        $"The request body is larger than {limitBytes} bytes. Send less, or ask the operator to raise server.body_limit.");

    public static GatewayError MalformedJson(string problem) => Of(400, InvalidRequest, null, "malformed_json",
        $"The request body could not be parsed as JSON: {problem}");

    public static GatewayError InvalidValue(string param, string message) =>
        Of(400, InvalidRequest, null, "invalid_value", message) with { Param = param };

    /// <summary>The backend that is left for the request speaks another dialect, which has no words for a part of it.</summary>
    public static GatewayError Inexpressible(string param, string message) => Of(400, InvalidRequest, "unsupported_parameter", "inexpressible", message) with { Param = param };

    /// <summary>The gateway serves the rest of such a request, and not this: it could not be metered, kept apart from other tenants, or judged by the policy.</summary>
    public static GatewayError Unsupported(string param, string message) => Of(400, InvalidRequest, "unsupported_parameter", "unsupported", message) with { Param = param };

    public static GatewayError UnknownSchema { get; } = Of(400, InvalidRequest, "unknown_schema", "unknown_schema",
        "There is no output schema of this id. Check it for a typing error, or ask an administrator to register it.") with
    { Param = "output_schema_id" };

    /// <summary>A model's answer is not of the form that was asked for, and was not when it was asked again.</summary>
    public static GatewayError InvalidOutput(IEnumerable<string> faults) => Of(502, ServerError, "invalid_output", "invalid_output",
        $"The model's answer does not have the form that was asked for: {string.Join("; ", faults)}. Try again, or ask for a simpler form.");

    public static GatewayError CountingBusy { get; } = Of(503, Unavailable, "server_is_overloaded", "counting_busy",
        "The gateway counts as much as it has time for. Try again shortly.") with
    { RetryAfter = TimeSpan.FromSeconds(1) };

    public static GatewayError AnswerTooLarge { get; } = Of(502, ServerError, "upstream_error", "answer_too_large",
        "The answer is larger than can be held to be checked or converted. Ask for less at once.") with
    { DoNotRetry = true, IsOwn = true };

    /// <summary>Two places say different things of one request, and either could be the one that was meant.</summary>
    public static GatewayError ContradictoryGovernance(string header, string member) => Of(400, InvalidRequest, "contradictory_governance", "contradictory_governance",
        $"'{header}' and '{member}' say different things of this request. Send one of them, or the same in both.") with
    { Param = member };

    /// <summary>A word of governance that the policy in force does not know: it could not be judged by it.</summary>
    public static GatewayError UnknownGovernance(string attribute) => Of(400, InvalidRequest, $"unknown_{attribute}", "unknown_governance",
        $"The policy in force does not know this {attribute}. Check it for a typing error, or ask an administrator for the words it knows.");

    public static GatewayError MissingScope(string scope) => Of(403, InvalidRequest, "insufficient_permissions", "missing_scope",
        $"The API key lacks the scope '{scope}'. Use a key that has it, or ask an administrator.");

    public static GatewayError ModelNotAllowed(string model) => Of(403, InvalidRequest, "insufficient_permissions", "model_not_allowed",
        $"The API key may not use the model '{model}'. GET /v1/models lists what it may use.") with
    { Param = "model" };

    public static GatewayError ModelNotFound(string model) => Of(404, InvalidRequest, "model_not_found", "model_not_found",
        $"The model '{model}' does not exist. GET /v1/models lists what there is.") with
    { Param = "model" };

    public static GatewayError OperationNotServed(string model, string operation) => Of(404, InvalidRequest, "model_not_found", "operation_not_served",
        $"The model '{model}' does not serve {operation}. Use another model.") with
    { Param = "model" };

    /// <summary>Altered, another tenant's, or of a backend that is gone: the caller is not told which.</summary>
    public static GatewayError PreviousResponseNotFound { get; } = Of(404, InvalidRequest, "previous_response_not_found", "previous_response_not_found",
        "There is no response of this id to go on from. Send the conversation's items in 'input' instead.") with
    { Param = "previous_response_id" };

    /// <summary>As well for what the backend that keeps it has forgotten.</summary>
    public static GatewayError ResponseNotFound { get; } = Of(404, InvalidRequest, "response_not_found", "response_not_found",
        "There is no response of this id. It may have been deleted or never stored; an id is good for the tenant that got it, while its backend keeps the response.");

    public static GatewayError ResponseNotInBackground { get; } = Of(400, InvalidRequest, "response_not_in_background", "response_not_in_background",
        "Only a response in the background could be cancelled, and this gateway serves none. End a running response by closing its connection, or by POST /v1/requests/{id}/cancel with the x-request-id of its answer.");

    public static GatewayError ConversationElsewhere(string model) => Of(400, InvalidRequest, "conversation_elsewhere", "conversation_elsewhere",
        $"The response to go on from is kept where '{model}' is not served. Ask the model that gave it, or send the conversation's items in 'input'.") with
    { Param = "previous_response_id" };

    /// <param name="reasons">Reason codes.</param>
    public static GatewayError ConversationExcluded(IEnumerable<string> reasons) => Of(403, InvalidRequest, "conversation_excluded", "conversation_excluded",
        $"The response to go on from is kept where this request may not go: {string.Join(", ", reasons)}. Send the conversation's items in 'input' instead.") with
    { Param = "previous_response_id" };

    public static GatewayError ConversationUnavailable { get; } = Of(503, Unavailable, "conversation_unavailable", "conversation_unavailable",
        "The one backend that keeps this conversation is not available at the moment. Try again shortly, or send the conversation's items in 'input' instead of 'previous_response_id'.") with
    { Param = "previous_response_id", RetryAfter = TimeSpan.FromSeconds(5) };

    public static GatewayError ContextExceeded(string param, long limitTokens, long askedTokens) =>
        Of(400, InvalidRequest, "context_length_exceeded", "context_exceeded",
            $"The request needs {askedTokens} tokens, and at most {limitTokens} are possible. Shorten the input or lower the maximum output.") with
        { Param = param };

    /// <param name="reasons">Reason codes.</param>
    /// <param name="rules">The rules of the bundle that said so; none when the tenant's own policy did.</param>
    public static GatewayError PolicyDenied(IEnumerable<string> reasons, IReadOnlyList<string>? rules = null) => Of(403, InvalidRequest, "policy_denied", "policy_denied",
        $"The policy in force does not allow this request: {string.Join(", ", reasons)}{(rules is { Count: > 0 } ? $" (by rule {string.Join(", ", rules)})" : "")}.");

    public static GatewayError RateLimited(Refusal refusal) => refusal.Bucket.Dimension is Dimension.TokensPerMonth or Dimension.NanoUsdPerMonth
        ? Of(429, "insufficient_quota", "insufficient_quota", "budget",
            $"The monthly budget of {refusal.Bucket.Subject} is used up. Ask an administrator to raise it, or wait for the next month.") with
        { DoNotRetry = true }
        : Of(429, refusal.Bucket.Dimension == Dimension.TokensPerMinute ? "tokens" : "requests", "rate_limit_exceeded", "rate_limit",
            $"The limit of {refusal.Bucket.Limit} {Words(refusal.Bucket.Dimension)} of {refusal.Bucket.Subject} is reached.{Wait(refusal)}")
          with
        { RetryAfter = refusal.RetryAfter ?? TimeSpan.FromSeconds(60) };

    /// <summary>A refusal by the backend that is about the caller's own request: its words are kept, its shape is ours.</summary>
    public static GatewayError FromBackend(int status, string? message, string? type, string? code, string? param) => new()
    {
        Status = status,
        Type = type is null or "" ? InvalidRequest : type,
        Code = code,
        Param = param,
        Message = message ?? "The model's backend refused the request.",
        Label = "backend_refused",
    };

    private static string Words(Dimension dimension) => dimension switch
    {
        Dimension.RequestsPerMinute => "requests per minute",
        Dimension.TokensPerMinute => "tokens per minute",
        _ => "concurrent requests",
    };

    private static string Wait(Refusal refusal) =>
        refusal.RetryAfter is { } wait ? $" Try again in {Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds))} s." : " A single request of this size can never fit.";

    private static GatewayError Of(int status, string type, string? code, string label, string message) =>
        new() { Status = status, Type = type, Code = code, Label = label, Message = message };
}
