using System.Text.Json;
using Microsoft.AspNetCore.Http;
using TokenFactory.TestKit.Http;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Path;

/// <summary>What a client was told, and the claims about it that every test shares.</summary>
internal static class Told
{
    /// <summary>Four words, each of them one token in the gateway's tokenizer too, so that both counts of it agree.</summary>
    public const string Answer = "one two three four";

    /// <summary>What the gateway counts for the message "one two three": its words, and the dialect's overhead.</summary>
    public const int CountedPrompt = 10;

    public static string RequestId(RawResponse response) => RequestId(response.Headers["x-request-id"].ToString());

    public static string RequestId(HttpResponseMessage response) => RequestId(Assert.Single(response.Headers.GetValues("x-request-id")));

    public static async Task<JsonElement> ErrorAsync(HttpResponseMessage response) => Error(await response.Content.ReadAsStringAsync());

    /// <summary>The error object, after a look at its shape: SDKs read four members, and a code that is no string breaks some.</summary>
    public static JsonElement Error(string json)
    {
        var root = JsonDocument.Parse(json).RootElement;
        Assert.Equal("error", Assert.Single(root.EnumerateObject()).Name);
        var error = root.GetProperty("error");
        Assert.NotEmpty(error.GetProperty("message").GetString()!);
        Assert.NotEmpty(error.GetProperty("type").GetString()!);
        Assert.True(error.GetProperty("code").ValueKind is JsonValueKind.String or JsonValueKind.Null, json);
        Assert.True(error.GetProperty("param").ValueKind is JsonValueKind.String or JsonValueKind.Null, json);
        return error;
    }

    /// <summary>A whole stream: one terminator, the last event, and an end in order.</summary>
    public static void Completes(RawResponse stream)
    {
        Assert.Equal(200, stream.Status);
        Assert.True(stream.EndedCleanly, $"{stream.End}: {Head(stream.Text)}");
        Assert.StartsWith("text/event-stream", stream.Headers.ContentType.ToString(), StringComparison.Ordinal);
        Assert.True(stream.Events.Count(data => data == "[DONE]") == 1 && stream.Events[^1] == "[DONE]", Tail(stream.Text));
    }

    /// <summary>A failed stream: no terminator, an error as the last event, and a connection that does not end in order.</summary>
    public static JsonElement Breaks(RawResponse stream)
    {
        Assert.Equal(200, stream.Status);
        Assert.False(stream.EndedCleanly, $"{stream.End}: {Tail(stream.Text)}");
        Assert.DoesNotContain("[DONE]", stream.Text, StringComparison.Ordinal);
        return Error(stream.Events[^1]);
    }

    /// <summary>A plain HTTP error.</summary>
    public static JsonElement Refuses(RawResponse answer, int status)
    {
        Assert.True(answer.Status == status, $"{answer.Status} instead of {status}: {Head(answer.Text)}");
        Assert.True(answer.EndedCleanly);
        Assert.Equal("application/json", answer.Headers.ContentType);
        return Error(answer.Text);
    }

    /// <summary>The text of all choices, from a stream's events or from a whole answer.</summary>
    public static string Text(RawResponse response)
    {
        var documents = response.Headers.ContentType.ToString().StartsWith("text/event-stream", StringComparison.Ordinal)
            ? response.Events.Where(data => data.StartsWith("{\"", StringComparison.Ordinal) && !data.Contains('\uFFFD')).ToArray()
            : [response.Text];
        return string.Concat(documents.Select(json => JsonDocument.Parse(json).RootElement)
            .Where(root => root.TryGetProperty("choices", out _))
            .SelectMany(root => root.GetProperty("choices").EnumerateArray())
            .Select(choice => choice.TryGetProperty("delta", out var delta) ? delta : choice.GetProperty("message"))
            .Select(message => message.TryGetProperty("content", out var content) ? content.GetString() : ""));
    }

    public static int Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length;

    /// <summary>Nothing of who answered: no header of the backend, no address, none of its inner words.</summary>
    public static void HidesTheBackend(IHeaderDictionary headers, string body, int port)
    {
        Assert.DoesNotContain("server", headers.Keys, StringComparer.OrdinalIgnoreCase);
        Assert.DoesNotContain(headers.Keys, name => name.StartsWith("x-backend", StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain("set-cookie", headers.Keys, StringComparer.OrdinalIgnoreCase);
        foreach (var secret in new[] { "fake-node", "uvicorn", "nginx", "10.0.0.5", "127.0.0.1", "Traceback", "sk-upst", "/srv/", $":{port}" })
        {
            Assert.DoesNotContain(secret, body, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain(headers, header => header.Value.ToString().Contains(secret, StringComparison.OrdinalIgnoreCase));
        }
    }

    public static void Settled(JsonElement settlement, string outcome, string evidence, long input, long output)
    {
        var tokens = settlement.GetProperty("tokens");
        Assert.Equal(
            (outcome, evidence, input, output),
            (settlement.GetProperty("outcome").GetString()!, settlement.GetProperty("evidence").GetString()!, tokens.GetProperty("input").GetInt64(), tokens.GetProperty("output").GetInt64()));
    }

    private static string RequestId(string value)
    {
        Assert.True(Guid.TryParseExact(value, "D", out _), value);
        return value;
    }

    private static string Head(string text) => text[..Math.Min(600, text.Length)];

    private static string Tail(string text) => text[^Math.Min(600, text.Length)..];
}
