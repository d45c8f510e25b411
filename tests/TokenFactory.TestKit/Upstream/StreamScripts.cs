using TokenFactory.TestKit.Upstream.Steps;
using TokenFactory.TestKit.Upstream.Wires;

namespace TokenFactory.TestKit.Upstream;

/// <summary>Streams, faithful and broken. "Midway" is after the second word.</summary>
public static class StreamScripts
{
    private const string VllmError = """{"error":{"object":"error","message":"EngineCore encountered an issue.","type":"InternalServerError","param":null,"code":500}}""";
    private const string TgiError = """{"error":"Request failed during generation: CUDA out of memory","error_type":"generation"}""";
    private const string SglangError = """{"object":"error","message":"The request is aborted by the scheduler.","type":"InternalServerError","param":null,"code":500}""";
    private const string PromptFilter = """{"id":"","object":"","created":0,"model":"","prompt_filter_results":[{"prompt_index":0,"content_filter_results":{"hate":{"filtered":false,"severity":"safe"}}}],"choices":[],"usage":null}""";
    private static readonly Place _midway = Place.AfterPieces(2);

    // Faithful, in ways a gateway must not trip over.
    public static Script Faithful => Script.Stream().Named();

    public static Script SplitAtEveryByte => Script.Stream().SplitAtEveryByte().Named();

    public static Script CrLfLineEnds => Script.Stream().WithCrLf().Named();

    public static Script CrLineEnds => Script.Stream().WithLineEnds("\r").Named();

    public static Script NoSpaceAfterColon => Script.Stream().WithPrefix("data:").Named();

    public static Script EventAndIdLines => Script.Stream().WithPrefix("event: message\nid: 7\nretry: 1000\ndata: ").Named();

    public static Script KeepAliveComments => Script.Stream().WithKeepAlives().Named();

    public static Script CommentsInsideEvents => Script.Stream().WithPrefix(": still here\ndata: ").Named();

    public static Script ByteOrderMarkFirst => Script.Stream().Writes(Place.AfterHead, [0xEF, 0xBB, 0xBF]).Named();

    public static Script PromptFilterResultsFirst => Script.Stream().Says(Place.AfterHead, PromptFilter).Named();

    public static Script EmptyChoicesMidway => Script.Stream().Says(_midway, PromptFilter).Named();

    public static Script UnknownFieldsMidway => Script.Stream().Says(_midway, """{"id":"x","object":"chat.completion.chunk","created":1,"model":"m","obfuscation":"aaaa","timings":{"n":1},"choices":[{"index":0,"delta":{"reasoning_content":"hm"},"finish_reason":null}]}""").Named();

    public static Script FinishReasonOfTgi => Script.Stream().FinishesWith("eos_token").Named();

    public static Script TenMegabyteFrame => Script.Stream("one", new string('x', 10 << 20), " three").Named();

    public static Script SlowFirstByte => Script.Stream().Waits(Place.Start, TimeSpan.FromMilliseconds(300)).Named();

    // Usage, as it should not be.
    public static Script NoUsage => Script.Stream().WithoutUsage().Named();

    public static Script UsageUnasked => Script.Stream().WithUsageUnasked().Named();

    public static Script UsageOnEveryChunk => Script.Stream().WithUsageOnEveryChunk().Named();

    public static Script ZeroUsageOnEveryChunk => Script.Stream().WithZeroUsageOnEveryChunk().Named();

    public static Script UsageTwice => Script.Stream().WithUsageTwice().Named();

    public static Script UsageTwiceAndFirstIsLower => Script.Stream().WithUsageTwice(usage => usage with { Completion = 1 }).Named();

    public static Script UsageZero => Script.Stream().WithUsage(0, 0).Named();

    public static Script UsageNegative => Script.Stream().WithUsage(-5, -7).Named();

    public static Script UsageAbsurd => Script.Stream().WithUsage(long.MaxValue, long.MaxValue).Named();

    public static Script UsageOfStrings => Script.Stream().WithoutUsage().Says(Place.BeforeDone, """{"id":"x","object":"chat.completion.chunk","choices":[],"usage":{"prompt_tokens":"3","completion_tokens":"4"}}""").Named();

    public static Script CachedAboveThePrompt => Script.Stream().WithUsage(3, 4, cached: 9).Named();

    // Endings that are not.
    public static Script MissingDone => Script.Stream().EndsWithoutDone().Named();

    public static Script MissingFinish => Script.Stream().EndsWithoutFinish().Named();

    public static Script DoneTwice => Script.Stream().Says(Place.BeforeDone, "[DONE]").Named();

    public static Script WordsAfterDone => Script.Stream().Does(Place.End, play => play.FrameAsync(StreamSteps.PieceChunk(play, 0, " late"))).Named();

    public static Script LastEventWithoutBlankLine => Script.Stream().EndsWithoutDone().Writes(Place.End, "data: [DONE]").Named();

    public static Script EndsMidway => Script.Stream().Ends(_midway).Named();

    public static Script EndsAfterHead => Script.Stream().Ends(Place.AfterHead).Named();

    public static Script NeverEnding => Script.Stream().NeverEnds(TimeSpan.FromMilliseconds(1)).Named();

    // Cuts.
    public static Script ResetBeforeHead => Script.Stream().Cuts(Place.Start).Named();

    public static Script FinBeforeHead => Script.Stream().Cuts(Place.Start, Cut.Fin).Named();

    public static Script ResetAfterHead => Script.Stream().Cuts(Place.AfterHead).Named();

    public static Script ResetMidway => Script.Stream().Cuts(_midway).Named();

    public static Script FinMidway => Script.Stream().Cuts(_midway, Cut.Fin).Named();

    public static Script ResetInsideFrame => Script.Stream().CutsInsideFrame(_midway).Named();

    public static Script FinInsideFrame => Script.Stream().CutsInsideFrame(_midway, Cut.Fin).Named();

    public static Script FinBeforeFinish => Script.Stream().Cuts(Place.BeforeFinish, Cut.Fin).Named();

    public static Script FinBeforeUsage => Script.Stream().Cuts(Place.BeforeUsage, Cut.Fin).Named();

    public static Script FinBeforeDone => Script.Stream().Cuts(Place.BeforeDone, Cut.Fin).Named();

    public static Script FinAfterDone => Script.Stream().Cuts(Place.End, Cut.Fin).Named();

    // Silences, until the caller goes away.
    public static Script StallsBeforeHead => Script.Stream().Stalls(Place.Start).Named();

    public static Script StallsAfterHead => Script.Stream().Stalls(Place.AfterHead).Named();

    public static Script StallsMidway => Script.Stream().Stalls(_midway).Named();

    public static Script StallsBeforeDone => Script.Stream().Stalls(Place.BeforeDone).Named();

    // Errors inside a 200.
    public static Script ErrorFrameThenDone => Script.Stream().Fails(_midway, VllmError).Named();

    public static Script ErrorFrameThenEnd => Script.Stream().Fails(_midway, VllmError, done: false).Named();

    public static Script ErrorFrameFirst => Script.Stream().Fails(Place.AfterHead, VllmError).Named();

    public static Script ErrorFrameOfTgi => Script.Stream().Fails(_midway, TgiError, done: false).Named();

    public static Script ErrorFrameOfSglang => Script.Stream().Fails(_midway, SglangError).Named();

    public static Script ErrorEvent => Script.Stream().Ends(_midway).Writes(_midway, "event: error\ndata: {\"error\":{\"message\":\"overloaded\",\"type\":\"server_error\",\"code\":null}}\n\n").Named();

    public static Script ErrorBodyWith200 => Script.Json(200, VllmError).Named();

    // Not a stream, or not only.
    public static Script WholeAnswerInsteadOfStream => Script.Answer().Named();

    public static Script StreamAsPlainText => Script.Body(200, "text/plain", "data: {\"choices\":[]}\n\ndata: [DONE]\n\n").Named();

    public static Script GarbageFrame => Script.Stream().Says(_midway, "{not json").Named();

    public static Script GarbageBytes => Script.Stream().Writes(_midway, [0x00, 0xFF, 0xFE, 0x80, 0x0A, 0xC3, 0x28, 0x0A]).Named();

    public static Script InvalidUtf8InsideContent => Script.Stream().Writes(_midway, [.. "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\""u8, 0xC3, 0x28, .. "\"},\"finish_reason\":null}]}\n\n"u8]).Named();
}
