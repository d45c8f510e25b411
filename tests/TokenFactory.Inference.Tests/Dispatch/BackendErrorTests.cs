using System.Text;
using FsCheck;
using FsCheck.Fluent;
using TokenFactory.Inference.Dispatch;
using Xunit;

namespace TokenFactory.Inference.Tests.Dispatch;

public sealed class BackendErrorTests
{
    [Theory]
    [InlineData("""{"error":{"message":"m","type":"t","param":"p","code":"c"}}""", "m", "t", "c", "p")]
    [InlineData("""{"error":{"code":400,"message":"m","type":"exceed_context_size_error","n_ctx":[4096,{"a":1}]}}""", "m", "exceed_context_size_error", "400", null)]
    [InlineData("""{"object":"error","message":"m","type":"NotFoundError","param":null,"code":404}""", "m", "NotFoundError", "404", null)]
    [InlineData("""{"error":"Unauthorized"}""", "Unauthorized", null, null, null)]
    [InlineData("""{"error":"m","error_type":"overloaded"}""", "m", "overloaded", null, null)]
    [InlineData("""{"error":{"message":"m","type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"x","message":"y"}}}""", "m", null, "content_filter", "prompt")]
    [InlineData("""{"type":"error","error":{"type":"overloaded_error","message":"m"}}""", "m", "overloaded_error", null, null)]
    [InlineData("""[{"error":{"code":503,"message":"m","status":"UNAVAILABLE"}}]""", "m", null, "503", null)]
    [InlineData("""{"detail":"Not Found"}""", "Not Found", null, null, null)]
    [InlineData("""{"detail":[{"loc":["body","messages"],"msg":"field required","type":"missing"},{"msg":"other","type":"x"}]}""", "field required", "missing", null, null)]
    [InlineData("  upstream connect error \nmore", "upstream connect error", null, null, null)]
    [InlineData("<html><body>502</body></html>", null, null, null, null)]
    [InlineData("", null, null, null, null)]
    [InlineData("null", "null", null, null, null)]
    [InlineData("{}", null, null, null, null)]
    [InlineData("""{"error":{"message":"cut sho""", null, null, null, null)]
    [InlineData("""{"error":{"type":"t","message":"m","cut":""", "m", "t", null, null)]
    [InlineData("""{"error":{"message":"\ud83d"}}""", "\\ud83d", null, null, null)]
    public void Every_shape_of_error_is_read(string body, string? message, string? type, string? code, string? param) =>
        Assert.Equal(new BackendError(message, type, code, 418, param), BackendError.Read(Encoding.UTF8.GetBytes(body), 418));

    [Fact]
    public void A_frame_names_its_own_status()
    {
        Assert.Equal(503, BackendError.Read("""{"error":{"code":503}}"""u8).Status);
        Assert.Equal(400, BackendError.Read("""{"error":{"code":"content_filter","status":400}}"""u8).Status);
        Assert.Null(BackendError.Read("""{"error":{"code":12}}"""u8).Status);
    }

    [Fact]
    public void P10_what_is_kept_is_bounded()
    {
        var error = BackendError.Read(Encoding.UTF8.GetBytes($$"""{"message":"{{new string('m', 40_000)}}","type":"{{new string('t', 400)}}","code":{{new string('9', 400)}}}"""), 500);

        Assert.Equal(2048, error.Message!.Length);
        Assert.Equal(128, error.Type!.Length);
        Assert.Equal(128, error.Code!.Length);
        Assert.Null(BackendError.Read(Encoding.UTF8.GetBytes("{\"message\":\"" + new string('m', 100_000)), 500).Message);
    }

    [Fact]
    public void Garbage_never_throws()
    {
        var noise = Gen.Elements("{", "}", "[", "]", "\"error\":", "\"detail\":", "\"msg\":", "\"code\":", "1", "\"x\"", ",", "\\", "\"", "\ud83d", "é");
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(5000),
            Prop.ForAll(Gen.ListOf(noise).ToArbitrary(), pieces => { BackendError.Read(Encoding.UTF8.GetBytes(string.Concat(pieces))); }));
    }
}
