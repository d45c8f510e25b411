using System.Text.Json;

namespace TokenFactory.Inference.Dialects.ResponsesToOpenAi;

/// <summary>
/// Writes the items of a response as the messages of a chat. Calls that follow each other are one message, with what the model had said before
/// them, for chat wants every call's result right after the one message that called. Earlier reasoning is left out: another model has no use for it.
/// </summary>
internal sealed class ItemsToMessages(Utf8JsonWriter json)
{
    private bool _inAssistant;
    private bool _inCalls;

    public void Write(JsonElement? instructions, JsonElement? input)
    {
        json.WriteStartArray("messages"u8);
        if (instructions is { } some)
        {
            Message("system", some);
        }

        if (input is { ValueKind: JsonValueKind.String } text)
        {
            Message("user", text);
        }
        else
        {
            var index = 0;
            foreach (var item in input is { ValueKind: JsonValueKind.Array } items ? items.EnumerateArray() : default)
            {
                Item(item, $"input[{index++}]");
            }
        }

        EndAssistant();
        json.WriteEndArray();
    }

    private void Item(JsonElement item, string at)
    {
        switch (item.Text("type"u8) ?? "message")
        {
            case "message":
                Message(item, at);
                break;
            case "function_call":
                Call(item, at);
                break;
            case "function_call_output":
                Result(item, at);
                break;
            case "reasoning":
                break;
            default:
                throw InexpressibleException.Of(at, "is of a type that cannot be said to this model's backend. Use message, function_call, function_call_output or reasoning.");
        }
    }

    private void Message(string role, JsonElement content)
    {
        json.WriteStartObject();
        json.WriteString("role"u8, role);
        json.Copy("content"u8, content);
        json.WriteEndObject();
    }

    private void Message(JsonElement item, string at)
    {
        EndAssistant();
        var role = item.Text("role"u8) ?? throw InexpressibleException.Malformed(at + ".role", "must say whose the message is.");
        var content = item.Get("content"u8) ?? throw InexpressibleException.Malformed(at + ".content", "must be a string or an array of parts.");
        json.WriteStartObject();
        json.WriteString("role"u8, role == "developer" ? "system" : role);
        if (content.ValueKind == JsonValueKind.Array)
        {
            Parts(content, at + ".content");
        }
        else
        {
            json.Copy("content"u8, content);
        }

        // Calls may follow, which belong to it.
        _inAssistant = role == "assistant";
        if (!_inAssistant)
        {
            json.WriteEndObject();
        }
    }

    private void Parts(JsonElement content, string at)
    {
        if (content.GetArrayLength() == 1 && content[0].Get("text"u8) is { ValueKind: JsonValueKind.String } only)
        {
            json.Copy("content"u8, only);
            return;
        }

        json.WriteStartArray("content"u8);
        var index = 0;
        foreach (var part in content.EnumerateArray())
        {
            InputParts.Write(part, json, $"{at}[{index++}]");
        }

        json.WriteEndArray();
    }

    private void Call(JsonElement item, string at)
    {
        if (!_inAssistant)
        {
            json.WriteStartObject();
            json.WriteString("role"u8, "assistant"u8);
            json.WriteNull("content"u8);
            _inAssistant = true;
        }

        if (!_inCalls)
        {
            json.WriteStartArray("tool_calls"u8);
            _inCalls = true;
        }

        json.WriteStartObject();
        json.Copy("id"u8, CallId(item, at));
        json.WriteString("type"u8, "function"u8);
        json.WriteStartObject("function"u8);
        json.Copy("name"u8, item.Get("name"u8) ?? throw InexpressibleException.Malformed(at + ".name", "must be a string."));
        json.Copy("arguments"u8, item.Get("arguments"u8) ?? throw InexpressibleException.Malformed(at + ".arguments", "must be a string."));
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private void Result(JsonElement item, string at)
    {
        EndAssistant();
        json.WriteStartObject();
        json.WriteString("role"u8, "tool"u8);
        json.Copy("tool_call_id"u8, CallId(item, at));
        var output = item.Get("output"u8) ?? throw InexpressibleException.Malformed(at + ".output", "must be a string or an array of parts.");
        if (output.ValueKind == JsonValueKind.Array)
        {
            Parts(output, at + ".output");
        }
        else
        {
            json.Copy("content"u8, output);
        }

        json.WriteEndObject();
    }

    private static JsonElement CallId(JsonElement item, string at) =>
        item.Get("call_id"u8) ?? throw InexpressibleException.Malformed(at + ".call_id", "must say which call it is.");

    private void EndAssistant()
    {
        if (_inCalls)
        {
            json.WriteEndArray();
        }

        if (_inAssistant)
        {
            json.WriteEndObject();
        }

        (_inAssistant, _inCalls) = (false, false);
    }
}
