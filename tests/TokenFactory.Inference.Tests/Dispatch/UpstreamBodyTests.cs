using System.Text;
using System.Text.Json.Nodes;
using TokenFactory.Inference.Dispatch;
using TokenFactory.Inference.Intake;
using TokenFactory.Inference.ReadModel;
using Xunit;

namespace TokenFactory.Inference.Tests.Dispatch;

public sealed class UpstreamBodyTests
{
    [Fact]
    public void P7_a_body_that_needs_no_change_goes_up_byte_for_byte()
    {
        const string Body = """{ "model" : "m", "messages":[{"content":"\u00e9"}],  "temperature":1.0 }""";

        var (sent, injected) = Send(Body, new() { Name = "d", Provider = _provider, Endpoints = [] });

        Assert.Equal(Body, sent);
        Assert.False(injected);
    }

    [Fact]
    public void Only_the_model_name_is_replaced()
    {
        var (sent, _) = Send("""{"messages":[{"content":"model"}],"model":"public","x":"public"}""", Deployment("org/\"up\""));

        Assert.Equal("""{"messages":[{"content":"model"}],"model":"org/\u0022up\u0022","x":"public"}""", sent);
    }

    [Theory]
    [InlineData("""{"model":"m","stream":true,"messages":[{}]}""", true)]
    [InlineData("""{"model":"m","stream":true,"messages":[{}],"stream_options":null}""", true)]
    [InlineData("""{"model":"m","stream":true,"messages":[{}],"stream_options":{}}""", true)]
    [InlineData("""{"model":"m","stream":true,"messages":[{}],"stream_options":{"include_usage":false}}""", true)]
    [InlineData("""{"model":"m","stream":true,"messages":[{}],"stream_options":{"include_usage":null,"x":1}}""", true)]
    [InlineData("""{"model":"m","stream":true,"messages":[{}],"stream_options":{"include_obfuscation":false}}""", true)]
    [InlineData("""{"model":"m","stream":true,"messages":[{}],"stream_options":{"include_usage":true}}""", false)]
    public void P3_usage_is_asked_for_on_every_stream_whatever_the_caller_asked(string body, bool injects)
    {
        var (sent, injected) = Send(body, Deployment("up"));
        var (continuous, _) = Send(body, Deployment("up") with { ContinuousUsage = true });

        Assert.True((bool)JsonNode.Parse(sent)!["stream_options"]!["include_usage"]!);
        Assert.Equal(injects, injected);
        Assert.True((bool)JsonNode.Parse(continuous)!["stream_options"]!["continuous_usage_stats"]!);
        Assert.True((bool)JsonNode.Parse(continuous)!["stream_options"]!["include_usage"]!);
    }

    [Theory]
    [InlineData("""{"model":"m","messages":[{}]}""", true)]
    [InlineData("""{"model":"m","stream":true,"messages":[{}]}""", false)]
    public void P3_usage_is_not_asked_for_where_it_has_no_place(string body, bool streamsUsage)
    {
        var (sent, injected) = Send(body, Deployment("m") with { StreamsUsage = streamsUsage });

        Assert.Equal(body, sent);
        Assert.False(injected);
    }

    private static readonly Provider _provider = new("p", ProviderKind.OpenAi, null, null);

    private static Deployment Deployment(string upstreamModel) => new() { Name = "d", Provider = _provider, Endpoints = [], UpstreamModel = upstreamModel };

    private static (string Sent, bool Injected) Send(string text, Deployment deployment)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var body = new PooledBody(new BodyBudget(long.MaxValue), bytes.Length);
        bytes.CopyTo(body.Free());
        body.Advance(bytes.Length);
        var (ask, error) = AskReader.Read(body, Operations.Chat, 64);
        Assert.Null(error);
        var (segments, injected) = UpstreamBody.For(ask!, deployment, conversion: null);
        using var reader = new StreamReader(new SegmentStream(segments), Encoding.UTF8);
        return (reader.ReadToEnd(), injected);
    }
}
