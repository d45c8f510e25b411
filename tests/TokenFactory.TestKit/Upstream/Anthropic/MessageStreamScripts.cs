using TokenFactory.TestKit.Upstream.Steps;
using TokenFactory.TestKit.Upstream.Wires;

namespace TokenFactory.TestKit.Upstream.Anthropic;

/// <summary>Streams of messages, faithful and broken. "Midway" is after the second word.</summary>
public static class MessageStreamScripts
{
    /// <summary>Letters of two, three and four bytes, and what JSON must escape.</summary>
    public const string Foreign = "Grüße, 東京! 🚀 \"quoted\" back\\slash\ttab\nline";

    private static readonly Place _midway = Place.AfterPieces(2);

    // Faithful, in ways a gateway must not trip over.
    public static Script MessageStream => Script.Stream().Named();

    public static Script MessageSplitAtEveryByte => Script.Stream().SplitAtEveryByte().Named();

    public static Script MessageWithCrLf => Script.Stream().WithCrLf().Named();

    public static Script MessageWithPings => Script.Stream().WithKeepAlives("event: ping\ndata: {\"type\": \"ping\"}\n\n").Named();

    public static Script MessageWithUnknownEvent => Script.Stream().Tells(_midway, "forecast", """{"type":"forecast","words_left":3}""").Named();

    public static Script MessageForeign => MessageScript.Of(MessageBlock.Text("Grüße,", " 東京! 🚀", " \"quoted\"", " back\\slash\ttab\nline")).Named();

    public static Script MessageForeignAndSplit => MessageForeign.SplitAtEveryByte().Named();

    public static Script MessageEscaped => MessageForeign.Escaped().Named();

    public static Script MessageThinking => MessageScript.Of(MessageBlock.Thought("Let me", " see."), MessageBlock.Redacted(), MessageBlock.Text("Echo", " one")).Named();

    public static Script MessageTextThenTool => MessageScript.Of(MessageBlock.Text("I", " look."), MessageBlock.Call("lookup", "{\"text\": \"on", "e\"}")).Named();

    /// <summary>The first input breaks off inside an escape, the second has no fragment at all.</summary>
    public static Script MessageTwoTools => MessageScript.Of(MessageBlock.Call("lookup", "{\"text\": \"caf\\u00", "e9 \\", "\"x\\\"\"}"), MessageBlock.Call("now")).Named();

    public static Script MessageRefusal => MessageScript.Of("refusal", MessageBlock.Text("I cannot")).Named();

    public static Script MessageToolCutByLimit => MessageScript.Of("max_tokens", MessageBlock.Call("lookup", "{\"text\": \"unfin")).Named();

    // Usage.
    public static Script MessageWithCache => Script.Stream().WithUsage(100, 7, cached: 60, reasoning: 2, cacheWritten: 30).Named();

    public static Script MessageWithoutUsage => Script.Stream().WithoutUsage().Named();

    public static Script MessageWithAbsurdUsage => Script.Stream().WithUsage(long.MaxValue, long.MaxValue).Named();

    // Endings that are not.
    public static Script MessageWithoutStop => Script.Stream().EndsWithoutDone().Named();

    public static Script MessageWithoutDelta => Script.Stream().EndsWithoutFinish().Named();

    public static Script MessageEndsMidway => Script.Stream().Ends(_midway).Named();

    public static Script MessageEndsAfterHead => Script.Stream().Ends(Place.AfterHead).Named();

    public static Script MessageFinMidway => Script.Stream().Cuts(_midway, Cut.Fin).Named();

    public static Script MessageResetMidway => Script.Stream().Cuts(_midway).Named();

    public static Script MessageFinInsideEvent => Script.Stream().CutsInsideFrame(_midway, Cut.Fin).Named();

    public static Script MessageFinBeforeDelta => Script.Stream().Cuts(Place.BeforeFinish, Cut.Fin).Named();

    public static Script MessageFinBeforeStop => Script.Stream().Cuts(Place.BeforeDone, Cut.Fin).Named();

    public static Script MessageStallsMidway => Script.Stream().Stalls(_midway).Named();

    public static Script MessageNeverEnding => Script.Stream().NeverEnds(TimeSpan.FromMilliseconds(1)).Named();

    // Errors inside a 200.
    public static Script MessageErrorMidway => Script.Stream().Breaks(_midway, "overloaded_error", "Overloaded").Named();

    public static Script MessageErrorFirst => Script.Stream().Breaks(Place.AfterHead, "overloaded_error", "Overloaded").Named();

    // Not a stream, or not only.
    public static Script MessageWholeInsteadOfStream => Script.Answer().Named();

    public static Script MessageGarbageEvent => Script.Stream().Tells(_midway, "content_block_delta", "{not json").Named();

    public static Script MessageWithoutEventLines => Script.Stream().Unnamed().Named();
}
