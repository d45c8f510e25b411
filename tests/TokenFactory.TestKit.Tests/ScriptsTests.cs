using System.Text;
using TokenFactory.TestKit.Data;
using TokenFactory.TestKit.Http;
using TokenFactory.TestKit.Upstream;
using Xunit;

namespace TokenFactory.TestKit.Tests;

/// <summary>Each script of the catalogue does on the wire what its name says; one without an expectation here fails.</summary>
public sealed class ScriptsTests : IAsyncLifetime
{
    private const string Whole = "Echo one two three four";
    private FakeUpstream _upstream = null!;

    public static TheoryData<string> Names => [.. Scripts.Streams.Concat(Scripts.Answers).Select(script => script.Name)];

    public async ValueTask InitializeAsync() => _upstream = await FakeUpstream.StartAsync();

    public ValueTask DisposeAsync() => _upstream.DisposeAsync();

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_script_does_what_its_name_says(string name)
    {
        var script = Scripts.Get(name);
        _upstream.Next(script);
        var request = RawHttp.Post("/v1/chat/completions", The.ChatRequest(text: "one two three four", stream: Scripts.Streams.Contains(script), usage: Scripts.Streams.Contains(script)));

        await Expectations.Of(name)(new Exchange(_upstream, request));
    }

    [Fact]
    public void Names_are_unique() => Assert.Distinct(Scripts.All.Select(script => script.Name));

    [Fact]
    public async Task A_split_stream_comes_in_as_many_writes()
    {
        _upstream.Next(Script.Stream().SplitAt(5, 40, 400), Script.Stream().SplitAtEveryByte());

        var at = await RawHttp.SendAsync(_upstream.BaseUrl, RawHttp.Post("/v1/chat/completions", The.ChatRequest(stream: true)));
        var every = await RawHttp.SendAsync(_upstream.BaseUrl, RawHttp.Post("/v1/chat/completions", The.ChatRequest(stream: true)));

        var ends = at.Chunks.Aggregate(new List<int>(), (sums, chunk) => [.. sums, (sums.Count == 0 ? 0 : sums[^1]) + chunk.Length]);
        Assert.Superset(new HashSet<int> { 5, 40, 400 }, ends.ToHashSet());
        Assert.All(every.Chunks, chunk => Assert.Single(chunk));
        Assert.Equal(Encoding.UTF8.GetString(at.Body).Length, Encoding.UTF8.GetString(every.Body).Length);
    }

    internal sealed record Exchange(FakeUpstream Upstream, byte[] Request)
    {
        public async Task<(RawResponse Response, UpstreamRequest Books)> ReadAsync()
        {
            var response = await RawHttp.SendAsync(Upstream.BaseUrl, Request);
            await Upstream.WaitForAsync(seen => seen.Requests[0].Over);
            return (response, Upstream.Requests[0]);
        }

        /// <summary>Reads until the upstream falls silent, then goes away.</summary>
        public async Task<(string Text, UpstreamRequest Books)> ReadSomeAsync(int words)
        {
            await using var raw = await RawHttp.ConnectAsync(Upstream.BaseUrl);
            await raw.SendAsync(Request);
            await Upstream.WaitForAsync(seen => seen.Requests is [var one] && one.CompletionTokens >= words);
            await Task.Delay(100);
            Assert.False(Upstream.Requests[0].Over);
            Assert.Equal(Upstream.Requests[0].Status == 0, raw.Available == 0);
            var read = Encoding.UTF8.GetString(await raw.HangUpAfterAsync(Upstream.Requests[0].Status == 0 ? 0 : 100));
            await Upstream.WaitForAsync(seen => seen.Totals.Aborted == 1);
            return (read, Upstream.Requests[0]);
        }
    }

    internal static string ContentOf(RawResponse response) => string.Concat(response.Events
        .Where(frame => frame.Contains("\"content\":\"", StringComparison.Ordinal))
        .Select(frame => frame.Split("\"content\":\"")[1].Split('"')[0]));

    internal static string WholeText => Whole;
}
