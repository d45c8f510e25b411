using TokenFactory.TestKit.Upstream.Steps;
using TokenFactory.TestKit.Upstream.Wires;

namespace TokenFactory.TestKit.Upstream.Anthropic;

/// <summary>Whole messages, and refusals as Anthropic states them.</summary>
public static class MessageAnswerScripts
{
    public static Script MessageAnswer => Script.Answer().Named();

    public static Script MessageAnswerWithCache => Script.Answer().WithUsage(100, 7, cached: 60, reasoning: 2, cacheWritten: 30).Named();

    public static Script MessageAnswerWithoutUsage => Script.Answer().WithoutUsage().Named();

    public static Script MessageAnswerThinking => MessageStreamScripts.MessageThinking.Named();

    public static Script MessageAnswerOfTwoTools => MessageStreamScripts.MessageTwoTools.Named();

    public static Script MessageAnswerForeign => MessageStreamScripts.MessageForeign.Named();

    public static Script MessageAnswerWithoutContent => MessageScript.Of().Named();

    public static Script MessageAnswerFinHalfway => Script.Answer().Cuts(Place.AfterPieces(1), Cut.Fin).Named();

    public static Script MessageAnswerOfGarbage => Script.Json(200, """{"type":"message","content":[{"type":"text","te""").Named();

    public static Script MessageBadRequest => MessageScript.Error(400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum").Named();

    public static Script MessageUnauthorized => MessageScript.Error(401, "authentication_error", "invalid x-api-key").Named();

    public static Script MessageOutOfCredit => MessageScript.Error(402, "billing_error", "Your credit balance is too low to access the API.").Named();

    public static Script MessageForbidden => MessageScript.Error(403, "permission_error", "Your API key does not have permission to use the specified resource.").Named();

    public static Script MessageUnknownModel => MessageScript.Error(404, "not_found_error", "model: x").Named();

    public static Script MessageTooLarge => MessageScript.Error(413, "request_too_large", "Request exceeds the maximum size").Named();

    public static Script MessageTooMany => MessageScript.Error(429, "rate_limit_error", "This request would exceed your organization's rate limit of 50 requests per minute.",
        ("retry-after", "2"), ("anthropic-ratelimit-requests-limit", "50"), ("anthropic-ratelimit-requests-remaining", "0")).Named();

    public static Script MessageServerError => MessageScript.Error(500, "api_error", "Internal server error at 10.0.0.5").Named();

    public static Script MessageTimeout => MessageScript.Error(504, "timeout_error", "Request timed out").Named();

    public static Script MessageOverloaded => MessageScript.Error(529, "overloaded_error", "Overloaded").Named();
}
