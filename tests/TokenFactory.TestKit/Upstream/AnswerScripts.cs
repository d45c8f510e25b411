using System.Text;
using TokenFactory.TestKit.Upstream.Steps;
using TokenFactory.TestKit.Upstream.Wires;

namespace TokenFactory.TestKit.Upstream;

/// <summary>Whole answers and refusals, faithful and broken.</summary>
public static class AnswerScripts
{
    private static readonly Place _halfway = Place.AfterPieces(1);

    // Answers with 200.
    public static Script FaithfulAnswer => Script.Answer().Named();

    public static Script AnswerWithoutUsage => Script.Answer().WithoutUsage().Named();

    public static Script AnswerWithZeroUsage => Script.Answer().WithUsage(0, 0).Named();

    public static Script AnswerWithAbsurdUsage => Script.Answer().WithUsage(long.MaxValue, long.MaxValue).Named();

    public static Script TenMegabyteAnswer => Script.Answer(new string('x', 10 << 20)).Named();

    public static Script AnswerWithErrorInside => Script.Json(200, """{"error":{"message":"model is loading","type":"server_error","param":null,"code":500}}""").Named();

    public static Script EmptyAnswer => Script.Json(200, "").Named();

    public static Script AnswerOfHtml => Script.Body(200, "text/html", "<html><body>It works!</body></html>").Named();

    public static Script AnswerOfHalfJson => Script.Json(200, """{"id":"chatcmpl-1","object":"chat.completion","choices":[{"index":0,"mess""").Named();

    public static Script AnswerOfGarbage => Script.Body(200, "application/json", [0x00, 0xFF, 0xFE, 0x80, 0xC3, 0x28]).Named();

    public static Script NoContent => Script.Status(204).Named();

    // Broken on the wire.
    public static Script NotHttp => Script.Bytes(Encoding.ASCII.GetBytes("SSH-2.0-OpenSSH_9.6\r\n")).Named();

    public static Script ContentLengthTooLong => Script.Answer().WithContentLengthOff(+100).Named();

    public static Script ContentLengthTooShort => Script.Answer().WithContentLengthOff(-10).Named();

    public static Script AnswerResetBeforeHead => Script.Answer().Cuts(Place.Start).Named();

    public static Script AnswerFinBeforeHead => Script.Answer().Cuts(Place.Start, Cut.Fin).Named();

    public static Script AnswerResetHalfway => Script.Answer().Cuts(_halfway).Named();

    public static Script AnswerFinHalfway => Script.Answer().Cuts(_halfway, Cut.Fin).Named();

    public static Script AnswerStallsBeforeHead => Script.Answer().Stalls(Place.Start).Named();

    public static Script AnswerStallsHalfway => Script.Answer().Stalls(_halfway).Named();

    public static Script AnswerSplitAtEveryByte => Script.Answer().SplitAtEveryByte().Named();

    // Refusals in every dialect.
    public static Script BadRequestOfVllm => Script.Json(400, """{"error":{"message":"This model's maximum context length is 4096 tokens.","type":"BadRequestError","param":null,"code":400}}""").Named();

    public static Script BadRequestOfSglang => Script.Json(400, """{"object":"error","message":"max_tokens must be positive","type":"BadRequestError","param":null,"code":400}""").Named();

    public static Script ContextExceededOfLlamaCpp => Script.Json(400, """{"error":{"code":400,"message":"the request exceeds the available context size","type":"exceed_context_size_error","n_prompt_tokens":9000,"n_ctx":4096}}""").Named();

    public static Script ContentFilterOfAzure => Script.Json(400, """{"error":{"message":"The response was filtered","type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation"}}}""").Named();

    public static Script UnauthorizedAsString => Script.Json(401, """{"error":"Unauthorized"}""").Named();

    public static Script UnauthorizedEchoingTheKey => Script.Json(401, """{"error":{"message":"Incorrect API key provided: sk-upst****cret.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}""").Named();

    public static Script Forbidden => Script.Json(403, """{"error":{"message":"Project does not have access to model","type":"invalid_request_error","param":null,"code":"model_not_found"}}""").Named();

    public static Script ModelNotFoundOfVllm => Script.Json(404, """{"error":{"message":"The model `x` does not exist.","type":"NotFoundError","param":"model","code":404}}""").Named();

    public static Script RequestTimeout => Script.Json(408, """{"error":{"message":"timeout","type":"server_error","param":null,"code":null}}""").Named();

    public static Script UnprocessableOfTgi => Script.Json(422, """{"error":"Input validation error: `inputs` must have less than 1024 tokens","error_type":"validation"}""").Named();

    public static Script FailedDependencyOfTgi => Script.Json(424, """{"error":"Request failed during generation","error_type":"generation"}""").Named();

    public static Script TooManyRequests => Script.Json(429, """{"error":{"message":"Rate limit reached","type":"requests","param":null,"code":"rate_limit_exceeded"}}""", ("retry-after", "2")).Named();

    public static Script TooManyRequestsForAnHour => Script.Json(429, """{"error":{"message":"Rate limit reached","type":"requests","param":null,"code":"rate_limit_exceeded"}}""", ("retry-after", "3600")).Named();

    public static Script QuotaExceeded => Script.Json(429, """{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}""").Named();

    public static Script ServerError => Script.Json(500, """{"error":{"message":"Traceback: /srv/model/engine.py line 12 at 10.0.0.5","type":"server_error","param":null,"code":null}}""").Named();

    public static Script ServerErrorWithoutBody => Script.Status(500, ("content-length", "0")).Named();

    public static Script BadGatewayOfHtml => Script.Body(502, "text/html", "<html><head><title>502 Bad Gateway</title></head><body><center>nginx/1.27.0</center></body></html>").Named();

    public static Script LoadingOfLlamaCpp => Script.Json(503, """{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}""", ("retry-after", "1")).Named();

    public static Script GatewayTimeout => Script.Json(504, """{"error":{"message":"upstream request timeout","type":"server_error","param":null,"code":null}}""").Named();

    public static Script OverloadedOfAnthropic => Script.Json(529, """{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}""").Named();

    /// <summary>Following it would send the prompt and the credential to an address nobody chose.</summary>
    public static Script RedirectsElsewhere => Script.Status(307, ("location", "http://127.0.0.1:9/v1/chat/completions"), ("content-length", "0")).Named();
}
