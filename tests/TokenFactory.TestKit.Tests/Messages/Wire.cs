using System.Text.Json;
using TokenFactory.TestKit.Http;
using TokenFactory.TestKit.Upstream;

namespace TokenFactory.TestKit.Tests.Messages;

/// <summary>Messages as bytes: sent with the headers of the dialect, read back without any client's help.</summary>
internal static class Wire
{
    public static Task<RawResponse> SendAsync(FakeUpstream upstream, byte[] body, string path = "/v1/messages", params string[] headers)
        => RawHttp.SendAsync(upstream.BaseUrl, Post(body, path, headers));

    public static byte[] Post(byte[] body, string path = "/v1/messages", params string[] headers) => RawHttp.Post(path, body, ["anthropic-version: 2023-06-01", .. headers]);

    /// <summary>The events of a stream with the names of their "event:" lines; one that is no JSON ends the list.</summary>
    public static IReadOnlyList<(string Name, JsonElement Data)> Events(RawResponse response)
    {
        var (events, name) = (new List<(string, JsonElement)>(), "");
        foreach (var line in response.Text.ReplaceLineEndings("\n").Split('\n'))
        {
            if (line.StartsWith("event: ", StringComparison.Ordinal))
            {
                name = line["event: ".Length..];
            }
            else if (line.StartsWith("data: ", StringComparison.Ordinal) && Parse(line["data: ".Length..]) is { } data)
            {
                events.Add((name, data));
                name = "";
            }
        }

        return events;
    }

    /// <summary>All text of a stream.</summary>
    public static string Text(RawResponse response) => string.Concat(Deltas(response, "text_delta", "text"));

    /// <summary>All text of a whole message.</summary>
    public static string Text(JsonElement message) => string.Concat(message.GetProperty("content").EnumerateArray()
        .Where(block => block.GetProperty("type").ValueEquals("text")).Select(block => block.GetProperty("text").GetString()));

    public static IEnumerable<string> Deltas(RawResponse response, string type, string member) => Events(response)
        .Where(one => one.Data.TryGetProperty("delta", out var delta) && delta.TryGetProperty("type", out var found) && found.ValueEquals(type))
        .Select(one => one.Data.GetProperty("delta").GetProperty(member).GetString()!);

    private static JsonElement? Parse(string json)
    {
        try
        {
            return JsonDocument.Parse(json).RootElement;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
