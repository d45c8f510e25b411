using TokenFactory.TestKit.Upstream.Steps;
using TokenFactory.TestKit.Upstream.Wires;

namespace TokenFactory.TestKit.Upstream.Responses;

/// <summary>Whole responses, faithful and broken.</summary>
public static class ResponseAnswerScripts
{
    public static Script ResponseAnswer => Script.Answer().Named();

    public static Script ResponseAnswerWithCache => Script.Answer().WithUsage(100, 7, cached: 60, reasoning: 2).Named();

    public static Script ResponseAnswerWithoutUsage => Script.Answer().WithoutUsage().Named();

    public static Script ResponseAnswerFailed => Script.Json(200, """{"id":"resp_x","object":"response","status":"failed","error":{"code":"server_error","message":"The model failed at 10.0.0.5."},"output":[],"usage":null}""").Named();

    /// <summary>What it used stands after its error, as OpenAI orders the members.</summary>
    public static Script ResponseAnswerFailedAfterWork => Script.Json(200, """{"id":"resp_x","object":"response","status":"failed","error":{"code":"server_error","message":"The model failed."},"output":[{"type":"message","content":[{"type":"output_text","text":"Hel"}]}],"usage":{"input_tokens":31,"output_tokens":2}}""").Named();

    public static Script ResponseAnswerOfGarbage => Script.Json(200, """{"id":"resp_x","object":"response","output":[{"type":"mess""").Named();

    public static Script ResponseAnswerFinHalfway => Script.Answer().Cuts(Place.AfterPieces(1), Cut.Fin).Named();

    /// <summary>An id that is none, as of a server that counts its responses.</summary>
    public static Script ResponseAnswerNumbered => Script.Json(200, """{"id":7,"object":"response","status":"completed","error":null,"output":[],"usage":{"input_tokens":3,"output_tokens":0}}""").Named();
}
