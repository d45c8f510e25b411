using System.Text.Json;
using TokenFactory.TestKit.Http;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Path.Responses;

/// <summary>What a client of OpenAI's Responses was told, and the claims about it that every test shares.</summary>
internal static class ResponseTold
{
    public static IReadOnlyList<JsonElement> Events(RawResponse response) =>
        [.. response.Events.Where(data => data.StartsWith("{\"", StringComparison.Ordinal)).Select(data => JsonDocument.Parse(data).RootElement)];

    /// <summary>A whole stream: one last event that says so, and an end in order.</summary>
    public static void Completes(RawResponse stream)
    {
        Assert.Equal(200, stream.Status);
        Assert.True(stream.EndedCleanly, $"{stream.End}: {stream.Text}");
        Assert.Contains(Events(stream)[^1].GetProperty("type").GetString(), (string[])["response.completed", "response.incomplete"]);
        Assert.DoesNotContain("\"type\":\"error\"", stream.Text, StringComparison.Ordinal);
    }

    /// <summary>A failed stream: an error as the last event, numbered on, and a connection that does not end in order.</summary>
    public static JsonElement Breaks(RawResponse stream)
    {
        Assert.Equal(200, stream.Status);
        Assert.False(stream.EndedCleanly, $"{stream.End}: {stream.Text}");
        var events = Events(stream);
        Assert.DoesNotContain(events, one => one.GetProperty("type").GetString() is "response.completed" or "response.failed");
        Assert.Contains("event: error\n", stream.Text, StringComparison.Ordinal);
        var numbers = events.Where(one => one.TryGetProperty("sequence_number", out _)).Select(one => one.GetProperty("sequence_number").GetInt64()).ToList();
        Assert.Equal(Enumerable.Range(0, numbers.Count).Select(number => (long)number), numbers);
        var (last, error) = (events[^1], events[^1].GetProperty("error"));
        Assert.Equal("error", last.GetProperty("type").GetString());
        Assert.NotEmpty(last.GetProperty("message").GetString()!);
        Assert.Equal((last.GetProperty("code").GetString(), last.GetProperty("message").GetString()), (error.GetProperty("code").GetString(), error.GetProperty("message").GetString()));
        return last;
    }

    /// <summary>The text that a stream told piece by piece.</summary>
    public static string Text(RawResponse stream) => string.Concat(Events(stream)
        .Where(one => one.GetProperty("type").GetString() == "response.output_text.delta")
        .Select(one => one.GetProperty("delta").GetString()));

    /// <summary>The id, which every event that tells one must tell the same.</summary>
    public static string Id(RawResponse response)
    {
        var told = response.Headers.ContentType.ToString().StartsWith("text/event-stream", StringComparison.Ordinal)
            ? Events(response).Where(one => one.TryGetProperty("response", out _)).Select(one => one.GetProperty("response").GetProperty("id").GetString()!)
            : [JsonDocument.Parse(response.Text).RootElement.GetProperty("id").GetString()!];
        return Assert.Single(told.Distinct());
    }
}
