using System.Text.Json;
using System.Text.Json.Nodes;

namespace TokenFactory.TestKit.Data;

/// <summary>Requests as an SDK would send them.</summary>
public static class The
{
    /// <param name="change">Anything this builder has no parameter for.</param>
    public static byte[] ChatRequest(string model = "fake-model", string text = "one two three", bool stream = false, bool usage = false, int? maxTokens = null, Action<JsonObject>? change = null)
    {
        var request = new JsonObject
        {
            ["model"] = model,
            ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = text }),
        };
        AddStream(request, stream, usage);
        if (maxTokens is { } most)
        {
            request["max_tokens"] = most;
        }

        change?.Invoke(request);
        return JsonSerializer.SerializeToUtf8Bytes(request);
    }

    public static byte[] CompletionRequest(string model = "fake-model", string prompt = "one two three", bool stream = false, bool usage = false, Action<JsonObject>? change = null)
    {
        var request = new JsonObject { ["model"] = model, ["prompt"] = prompt };
        AddStream(request, stream, usage);
        change?.Invoke(request);
        return JsonSerializer.SerializeToUtf8Bytes(request);
    }

    /// <summary>A request in Anthropic's Messages dialect.</summary>
    public static byte[] MessageRequest(string model = "fake-model", string text = "one two three", bool stream = false, int maxTokens = 100, Action<JsonObject>? change = null)
    {
        var request = new JsonObject
        {
            ["model"] = model,
            ["max_tokens"] = maxTokens,
            ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = text }),
        };
        AddStream(request, stream, usage: false);
        change?.Invoke(request);
        return JsonSerializer.SerializeToUtf8Bytes(request);
    }

    public static byte[] EmbeddingRequest(string model = "fake-model", params string[] inputs)
        => JsonSerializer.SerializeToUtf8Bytes(new { model, input = inputs });

    /// <summary>A tool named "lookup" and the order to call it: for <c>change</c>.</summary>
    public static void MustCallTool(JsonObject request)
    {
        request["tools"] = new JsonArray(JsonNode.Parse("""{"type":"function","function":{"name":"lookup","parameters":{"type":"object","properties":{"text":{"type":"string"}}}}}"""));
        request["tool_choice"] = "required";
    }

    private static void AddStream(JsonObject request, bool stream, bool usage)
    {
        if (stream)
        {
            request["stream"] = true;
        }

        if (usage)
        {
            request["stream_options"] = new JsonObject { ["include_usage"] = true };
        }
    }
}
