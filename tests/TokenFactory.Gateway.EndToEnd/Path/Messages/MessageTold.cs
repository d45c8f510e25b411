using System.Text.Json;
using TokenFactory.TestKit.Http;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Path.Messages;

/// <summary>What a client of Anthropic's Messages was told, and the claims about it that every test shares.</summary>
internal static class MessageTold
{
    /// <summary>The error object, after a look at the shape that SDKs read.</summary>
    public static JsonElement Error(string json)
    {
        var root = JsonDocument.Parse(json).RootElement;
        Assert.Equal("error", root.GetProperty("type").GetString());
        Assert.True(Guid.TryParse(root.GetProperty("request_id").GetString(), out _), json);
        var error = root.GetProperty("error");
        Assert.NotEmpty(error.GetProperty("message").GetString()!);
        Assert.NotEmpty(error.GetProperty("type").GetString()!);
        return error;
    }

    /// <summary>A whole stream: events in Anthropic's order, one terminator, and an end in order.</summary>
    public static void Completes(RawResponse stream)
    {
        Assert.Equal(200, stream.Status);
        Assert.True(stream.EndedCleanly, $"{stream.End}: {stream.Text}");
        Assert.StartsWith("text/event-stream", stream.Headers.ContentType.ToString(), StringComparison.Ordinal);
        var kinds = Kinds(stream);
        Assert.Equal("message_start", kinds[0]);
        Assert.Equal(["message_delta", "message_stop"], kinds[^2..]);
        Assert.Equal(1, kinds.Count(kind => kind == "message_stop"));
        Assert.Equal(kinds.Count(kind => kind == "content_block_start"), kinds.Count(kind => kind == "content_block_stop"));
        Assert.All(Names(stream).Zip(kinds), pair => Assert.Equal(pair.First, pair.Second));
    }

    /// <summary>A failed stream: no terminator, an error as the last event, and a connection that does not end in order.</summary>
    public static JsonElement Breaks(RawResponse stream)
    {
        Assert.Equal(200, stream.Status);
        Assert.False(stream.EndedCleanly, $"{stream.End}: {stream.Text}");
        Assert.DoesNotContain("message_stop", stream.Text, StringComparison.Ordinal);
        Assert.Equal("error", Names(stream)[^1]);
        return Error(stream.Events[^1]);
    }

    public static JsonElement Refuses(RawResponse answer, int status)
    {
        Assert.True(answer.Status == status, $"{answer.Status} instead of {status}: {answer.Text}");
        Assert.True(answer.EndedCleanly);
        Assert.Equal("application/json", answer.Headers.ContentType);
        Assert.Equal(answer.Headers["x-request-id"].ToString(), answer.Headers["request-id"].ToString());
        return Error(answer.Text);
    }

    /// <summary>The text of all blocks, from a stream's events or from a whole message.</summary>
    public static string Text(RawResponse response)
    {
        var isStream = response.Headers.ContentType.ToString().StartsWith("text/event-stream", StringComparison.Ordinal);
        var documents = (isStream ? response.Events : [response.Text]).Select(json => JsonDocument.Parse(json).RootElement);
        return string.Concat(isStream
            ? documents.Where(root => root.TryGetProperty("delta", out _)).Select(root => root.GetProperty("delta")).Select(TextOf)
            : documents.SelectMany(root => root.GetProperty("content").EnumerateArray()).Select(TextOf));
    }

    private static string TextOf(JsonElement holder) => holder.TryGetProperty("text", out var text) ? text.GetString()! : "";

    private static List<string> Kinds(RawResponse stream) => [.. stream.Events.Select(data => JsonDocument.Parse(data).RootElement.GetProperty("type").GetString()!)];

    private static List<string> Names(RawResponse stream) =>
        [.. stream.Text.Split('\n').Where(line => line.StartsWith("event: ", StringComparison.Ordinal)).Select(line => line["event: ".Length..].Trim())];
}
