using TokenFactory.TestKit.Upstream.Steps;
using TokenFactory.TestKit.Upstream.Wires;

namespace TokenFactory.TestKit.Upstream.Responses;

/// <summary>Streams of responses, faithful and broken. "Midway" is after the second word.</summary>
public static class ResponseStreamScripts
{
    private static readonly Place _midway = Place.AfterPieces(2);

    // Faithful, in ways a gateway must not trip over.
    public static Script ResponseStream => Script.Stream().Named();

    public static Script ResponseSplitAtEveryByte => Script.Stream().SplitAtEveryByte().Named();

    public static Script ResponseWithCrLf => Script.Stream().WithCrLf().Named();

    public static Script ResponseWithoutEventLines => Script.Stream().Unnamed().Named();

    public static Script ResponseWithUnknownEvent => Script.Stream().Tells(_midway, "response.forecast", """{"type":"response.forecast","words_left":3}""").Named();

    /// <summary>Some servers end as chat streams do.</summary>
    public static Script ResponseThenDone => Script.Stream().Does(Place.End, play => play.FrameAsync("[DONE]")).Named();

    public static Script ResponseForeign => Script.Stream("Grüße,", " 東京! 🚀", " \"quoted\"", " back\\slash\ttab\nline").Named();

    // Usage.
    public static Script ResponseWithCache => Script.Stream().WithUsage(100, 7, cached: 60, reasoning: 2).Named();

    public static Script ResponseWithoutUsage => Script.Stream().WithoutUsage().Named();

    public static Script ResponseWithAbsurdUsage => Script.Stream().WithUsage(long.MaxValue, long.MaxValue).Named();

    // Endings that are not.
    public static Script ResponseWithoutEnd => Script.Stream().EndsWithoutDone().Named();

    public static Script ResponseEndsInDoneAlone => Script.Stream().EndsWithoutDone().Does(Place.End, play => play.FrameAsync("[DONE]")).Named();

    public static Script ResponseEndsMidway => Script.Stream().Ends(_midway).Named();

    public static Script ResponseEndsAfterHead => Script.Stream().Ends(Place.AfterHead).Named();

    public static Script ResponseFinMidway => Script.Stream().Cuts(_midway, Cut.Fin).Named();

    public static Script ResponseResetMidway => Script.Stream().Cuts(_midway).Named();

    public static Script ResponseFinInsideEvent => Script.Stream().CutsInsideFrame(_midway, Cut.Fin).Named();

    public static Script ResponseStallsMidway => Script.Stream().Stalls(_midway).Named();

    // Errors inside a 200.
    public static Script ResponseFailsMidway => Script.Stream().Ends(_midway).Does(_midway, play => ResponseSteps.FailAsync(play, "server_error")).Named();

    public static Script ResponseErrorMidway => Script.Stream().Ends(_midway)
        .Tells(_midway, "error", """{"type":"error","code":"server_error","message":"The model failed at 10.0.0.5.","param":null,"sequence_number":6}""").Named();

    public static Script ResponseErrorFirst => Script.Stream().Ends(Place.AfterHead)
        .Tells(Place.AfterHead, "error", """{"type":"error","code":"server_error","message":"The model failed at 10.0.0.5.","param":null,"sequence_number":0}""").Named();

    public static Script ResponseGarbageEvent => Script.Stream().Tells(_midway, "response.output_text.delta", "{not json").Named();

    private static Script Tells(this Script script, Place place, string name, string json) => script.Does(place, play => play.EventAsync(name, json));
}
