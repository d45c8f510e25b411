using TokenFactory.TestKit.Upstream;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Path;

/// <summary>What becomes of every way a backend of OpenAI's dialect behaves, whichever dialect the client speaks.</summary>
internal static class Quirks
{
    private const long P = Told.CountedPrompt;

    /// <summary>What a request that asked for a stream, and for no usage, is told.</summary>
    public static readonly IReadOnlyDictionary<string, Row> Streams = new Dictionary<string, Row>
    {
        ["Faithful"] = Whole("reported", 3, 4),
        ["SplitAtEveryByte"] = Whole("reported", 3, 4),
        ["CrLfLineEnds"] = Whole("reported", 3, 4),
        ["CrLineEnds"] = Whole("reported", 3, 4),
        ["NoSpaceAfterColon"] = Whole("reported", 3, 4),
        ["EventAndIdLines"] = Whole("reported", 3, 4),
        ["KeepAliveComments"] = Whole("reported", 3, 4),
        ["CommentsInsideEvents"] = Whole("reported", 3, 4),
        ["ByteOrderMarkFirst"] = Whole("reported", 3, 4),
        ["PromptFilterResultsFirst"] = Whole("reported", 3, 4),
        ["EmptyChoicesMidway"] = Whole("reported", 3, 4),
        ["UnknownFieldsMidway"] = Whole("reported", 3, 4),
        ["FinishReasonOfTgi"] = Whole("reported", 3, 4),
        ["TenMegabyteFrame"] = Whole("reported", 3, 3),
        ["SlowFirstByte"] = Whole("reported", 3, 4),

        ["NoUsage"] = Whole("counted", P, 4),
        ["UsageUnasked"] = Whole("reported", 3, 4),
        ["UsageOnEveryChunk"] = Whole("reported", 3, 4),
        ["ZeroUsageOnEveryChunk"] = Whole("counted", P, 4),
        ["UsageTwice"] = Whole("reported", 3, 4),
        ["UsageTwiceAndFirstIsLower"] = Whole("reported", 3, 4),
        ["UsageZero"] = Whole("counted", P, 4),
        ["UsageNegative"] = Whole("counted", P, 4),
        ["UsageAbsurd"] = Whole("counted", P, 4),
        ["UsageOfStrings"] = Whole("counted", P, 4),
        ["CachedAboveThePrompt"] = Whole("reported", 3, 4),

        ["MissingDone"] = Broken("backend_cut", "reported", 3, 4),
        ["MissingFinish"] = Broken("backend_cut", "reported", 3, 4),
        ["DoneTwice"] = Whole("reported", 3, 4),
        ["WordsAfterDone"] = Whole("reported", 3, 4),
        ["LastEventWithoutBlankLine"] = Whole("reported", 3, 4),
        ["EndsMidway"] = Broken("backend_cut", "counted", P, Delivered),
        ["EndsAfterHead"] = Refused(502, "upstream_error", "backend_cut", "counted", P),

        ["ResetBeforeHead"] = Refused(502, "upstream_error", "failed", "counted", P),
        ["FinBeforeHead"] = Refused(502, "upstream_error", "failed", "counted", P),
        ["ResetAfterHead"] = Refused(502, "upstream_error", "backend_cut", "counted", P),
        ["ResetMidway"] = Broken("backend_cut", "counted", P, Delivered),
        ["FinMidway"] = Broken("backend_cut", "counted", P, Delivered),
        ["ResetInsideFrame"] = Broken("backend_cut", "counted", P, Delivered),
        ["FinInsideFrame"] = Broken("backend_cut", "counted", P, Delivered),
        ["FinBeforeFinish"] = Broken("backend_cut", "counted", P, Delivered),
        ["FinBeforeUsage"] = Broken("backend_cut", "counted", P, Delivered),
        ["FinBeforeDone"] = Broken("backend_cut", "reported", 3, 4),
        ["FinAfterDone"] = Whole("reported", 3, 4),

        ["StallsBeforeHead"] = Refused(504, "upstream_timeout", "timed_out", "counted", P),
        ["StallsAfterHead"] = Refused(504, "upstream_timeout", "timed_out", "counted", P),
        ["StallsMidway"] = Broken("timed_out", "counted", P, Delivered),
        ["StallsBeforeDone"] = Broken("timed_out", "reported", 3, 4),

        ["ErrorFrameThenDone"] = Broken("failed", "counted", P, Delivered),
        ["ErrorFrameThenEnd"] = Broken("failed", "counted", P, Delivered),
        ["ErrorFrameFirst"] = Refused(502, "upstream_error", "failed", "counted", P),
        ["ErrorFrameOfTgi"] = Broken("failed", "counted", P, Delivered),
        ["ErrorFrameOfSglang"] = Broken("failed", "counted", P, Delivered),
        ["ErrorEvent"] = Broken("failed", "counted", P, Delivered),
        ["ErrorBodyWith200"] = Refused(502, "upstream_error", "failed", "counted", P),

        ["WholeAnswerInsteadOfStream"] = new Row(Seen.Json, 200, null, "completed", "reported", 3, 4),
        ["StreamAsPlainText"] = Refused(502, "upstream_error", "failed", "counted", P),
        ["GarbageFrame"] = Whole("reported", 3, 4),
        ["GarbageBytes"] = Whole("reported", 3, 4),
        ["InvalidUtf8InsideContent"] = Whole("reported", 3, 4),
    };

    /// <summary>What a request that asked for one body is told.</summary>
    public static readonly IReadOnlyDictionary<string, Row> Answers = new Dictionary<string, Row>
    {
        ["FaithfulAnswer"] = Answered("reported", 3, 4),
        ["AnswerWithoutUsage"] = Answered("counted", P, 4),
        ["AnswerWithZeroUsage"] = Answered("counted", P, 4),
        ["AnswerWithAbsurdUsage"] = Answered("counted", P, 4),
        ["TenMegabyteAnswer"] = Answered("reported", 3, 1),
        ["AnswerSplitAtEveryByte"] = Answered("reported", 3, 4),

        ["AnswerWithErrorInside"] = Refused(502, "upstream_error", "failed", "counted", P),
        ["EmptyAnswer"] = Refused(502, "upstream_error", "failed", "counted", P),
        ["AnswerOfHtml"] = Refused(502, "upstream_error", "failed", "counted", P),
        ["AnswerOfHalfJson"] = Refused(502, "upstream_error", "failed", "counted", P),
        ["AnswerOfGarbage"] = Refused(502, "upstream_error", "failed", "counted", P),
        ["NoContent"] = Refused(502, "upstream_error", "failed", "counted", P),
        ["NotHttp"] = Refused(502, "upstream_error", "failed", "counted", P),
        ["ContentLengthTooLong"] = Refused(502, "upstream_error", "backend_cut", "counted", P),
        ["ContentLengthTooShort"] = Refused(502, "upstream_error", "failed", "counted", P),
        ["AnswerResetBeforeHead"] = Refused(502, "upstream_error", "failed", "counted", P),
        ["AnswerFinBeforeHead"] = Refused(502, "upstream_error", "failed", "counted", P),
        ["AnswerResetHalfway"] = Refused(502, "upstream_error", "backend_cut", "counted", P),
        ["AnswerFinHalfway"] = Refused(502, "upstream_error", "backend_cut", "counted", P),
        ["AnswerStallsBeforeHead"] = Refused(504, "upstream_timeout", "timed_out", "counted", P),
        ["AnswerStallsHalfway"] = Refused(504, "upstream_timeout", "timed_out", "counted", P),

        ["BadRequestOfVllm"] = Free(400, "context_length_exceeded"),
        ["BadRequestOfSglang"] = Free(400, "400"),
        ["ContextExceededOfLlamaCpp"] = Free(400, "context_length_exceeded"),
        ["ContentFilterOfAzure"] = Free(400, "content_filter"),
        ["UnauthorizedAsString"] = Free(502, "upstream_error"),
        ["UnauthorizedEchoingTheKey"] = Free(502, "upstream_error"),
        ["Forbidden"] = Free(502, "upstream_error"),
        ["ModelNotFoundOfVllm"] = Free(404, "404"),
        ["RequestTimeout"] = Free(504, "upstream_timeout"),
        ["UnprocessableOfTgi"] = Free(422, null),
        ["FailedDependencyOfTgi"] = Refused(502, "upstream_error", "failed", "counted", P),
        ["TooManyRequests"] = Free(429, "rate_limit_exceeded", "2"),
        ["TooManyRequestsForAnHour"] = Free(429, "rate_limit_exceeded", "60"),
        ["QuotaExceeded"] = Free(429, "rate_limit_exceeded", "5"),
        ["ServerError"] = Refused(502, "upstream_error", "failed", "counted", P),
        ["ServerErrorWithoutBody"] = Refused(502, "upstream_error", "failed", "counted", P),
        ["BadGatewayOfHtml"] = Refused(502, "upstream_error", "failed", "counted", P),
        ["LoadingOfLlamaCpp"] = Free(503, "server_is_overloaded", "1"),
        ["GatewayTimeout"] = Refused(504, "upstream_timeout", "failed", "counted", P),
        ["OverloadedOfAnthropic"] = Free(503, "server_is_overloaded", "5"),
        ["RedirectsElsewhere"] = Free(502, "upstream_error"),
    };

    /// <summary>Its end is the client's; see HangUpTests.</summary>
    public static TheoryData<string> StreamNames => [.. Scripts.Streams.Select(script => script.Name).Where(name => name != "NeverEnding")];

    public static TheoryData<string> AnswerNames => [.. Scripts.Answers.Select(script => script.Name)];

    /// <summary>As many as the client received words.</summary>
    public const long Delivered = -1;

    internal enum Seen
    {
        Stream,
        Json,
        InBand,
        Status,
    }

    private static Row Whole(string evidence, long input, long output) => new(Seen.Stream, 200, null, "completed", evidence, input, output);

    private static Row Answered(string evidence, long input, long output) => new(Seen.Json, 200, null, "completed", evidence, input, output);

    private static Row Broken(string outcome, string evidence, long input, long output) => new(Seen.InBand, 200, null, outcome, evidence, input, output);

    private static Row Refused(int status, string? code, string outcome, string evidence, long input) => new(Seen.Status, status, code, outcome, evidence, input, 0) { RetryAfter = null };

    /// <summary>The backend only turned the request away: nothing is charged.</summary>
    private static Row Free(int status, string? code, string? retryAfter = null) => new(Seen.Status, status, code, "failed", "known_zero", 0, 0) { RetryAfter = retryAfter };

    internal sealed record Row(Seen Seen, int Status, string? Code, string Outcome, string Evidence, long Input, long Output)
    {
        public string? RetryAfter { get; init; }
    }
}
