using System.Text.Json;

namespace TokenFactory.Inference.Dispatch.Loopback.Choices;

/// <summary>A call of one tool, without arguments: what a caller who insists on a call gets.</summary>
internal sealed class ToolCallChoice(string id, string function) : IChoice
{
    private const string Arguments = "{}";

    public static int Tokens(string function, CountTokens count) => Echo.Count(function, count) + Echo.Count(Arguments, count);

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject("message"u8);
        json.WriteString("role"u8, "assistant"u8);
        json.WriteNull("content"u8);
        json.WriteNull("refusal"u8);
        json.WriteStartArray("tool_calls"u8);
        json.WriteStartObject();
        WriteCall(json, Arguments);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
        Finish(json, "tool_calls");
    }

    public IEnumerable<Action<Utf8JsonWriter>> Steps()
    {
        yield return json =>
        {
            json.WriteStartObject("delta"u8);
            json.WriteString("role"u8, "assistant"u8);
            json.WriteNull("content"u8);
            WriteFragment(json, () => WriteCall(json, ""));
            json.WriteEndObject();
            Finish(json, null);
        };
        yield return json =>
        {
            json.WriteStartObject("delta"u8);
            WriteFragment(json, () =>
            {
                json.WriteStartObject("function"u8);
                json.WriteString("arguments"u8, Arguments);
                json.WriteEndObject();
            });
            json.WriteEndObject();
            Finish(json, null);
        };
        yield return json =>
        {
            json.WriteStartObject("delta"u8);
            json.WriteEndObject();
            Finish(json, "tool_calls");
        };
    }

    private void WriteCall(Utf8JsonWriter json, string arguments)
    {
        json.WriteString("id"u8, id);
        json.WriteString("type"u8, "function"u8);
        json.WriteStartObject("function"u8);
        json.WriteString("name"u8, function);
        json.WriteString("arguments"u8, arguments);
        json.WriteEndObject();
    }

    private static void WriteFragment(Utf8JsonWriter json, Action write)
    {
        json.WriteStartArray("tool_calls"u8);
        json.WriteStartObject();
        json.WriteNumber("index"u8, 0);
        write();
        json.WriteEndObject();
        json.WriteEndArray();
    }

    private static void Finish(Utf8JsonWriter json, string? reason)
    {
        json.WriteNull("logprobs"u8);
        json.WriteString("finish_reason"u8, reason);
    }
}
