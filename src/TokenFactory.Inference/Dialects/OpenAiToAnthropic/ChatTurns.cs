using System.Text.Json;

namespace TokenFactory.Inference.Dialects.OpenAiToAnthropic;

/// <summary>
/// Writes chat messages as Anthropic's <c>system</c> and turns. System messages are gathered in order, wherever they stand; neighbours that
/// are of one side make one turn, so that all results of a turn's tools are together, and first.
/// </summary>
internal sealed class ChatTurns(Utf8JsonWriter json)
{
    private bool _open;
    private bool _isAssistant;
    private bool _begun;

    public void Write(JsonElement messages)
    {
        System(messages);
        json.WriteStartArray("messages"u8);
        var index = 0;
        foreach (var message in messages.EnumerateArray())
        {
            Message(message, $"messages[{index++}]");
        }

        if (!_begun)
        {
            throw InexpressibleException.Malformed("messages", "must hold at least one message that says something, besides the system's.");
        }

        Close();
        json.WriteEndArray();
    }

    /// <summary>Anthropic refuses a turn that says nothing, and it says nothing to leave it out.</summary>
    private static bool SaysNothing(JsonElement message) =>
        message.Get("tool_calls"u8) is not { ValueKind: JsonValueKind.Array }
        && !message.Says("role"u8, "tool"u8)
        && (message.Get("content"u8) switch
        {
            null => true,
            { ValueKind: JsonValueKind.String } text => text.IsEmptyText,
            { ValueKind: JsonValueKind.Array } parts => parts.EnumerateArray().All(static part => part.Get("text"u8)?.IsEmptyText ?? false),
            _ => false,
        });

    private static bool IsSystem(JsonElement message) => message.Says("role"u8, "system"u8) || message.Says("role"u8, "developer"u8);

    private void System(JsonElement messages)
    {
        var begun = false;
        foreach (var message in messages.EnumerateArray())
        {
            if (!IsSystem(message) || message.Get("content"u8) is not { } content)
            {
                continue;
            }

            if (!begun)
            {
                begun = true;
                json.WriteStartArray("system"u8);
            }

            Texts(content, "system");
        }

        if (begun)
        {
            json.WriteEndArray();
        }
    }

    private void Message(JsonElement message, string at)
    {
        if (IsSystem(message) || (message.Text("role"u8) is "user" or "assistant" && message.Get("audio"u8) is null && message.Get("function_call"u8) is null && SaysNothing(message)))
        {
            return;
        }

        _begun = true;
        switch (message.Text("role"u8))
        {
            case "user":
                Turn(isAssistant: false);
                Content(message.Get("content"u8), at);
                break;
            case "assistant":
                Turn(isAssistant: true);
                Assistant(message, at);
                break;
            case "tool":
                Turn(isAssistant: false);
                Result(message, at);
                break;
            case "function":
                throw InexpressibleException.Of(at, "has the role 'function', which cannot be said to this model's backend. Use tools and the role 'tool'.");
            default:
                throw InexpressibleException.Malformed(at + ".role", "must be system, developer, user, assistant or tool.");
        }
    }

    private void Turn(bool isAssistant)
    {
        if (_open && _isAssistant == isAssistant)
        {
            return;
        }

        Close();
        (_open, _isAssistant) = (true, isAssistant);
        json.WriteStartObject();
        json.WriteString("role"u8, isAssistant ? "assistant"u8 : "user"u8);
        json.WriteStartArray("content"u8);
    }

    private void Close()
    {
        if (_open)
        {
            json.WriteEndArray();
            json.WriteEndObject();
            _open = false;
        }
    }

    private void Assistant(JsonElement message, string at)
    {
        if (message.Get("audio"u8) is not null || message.Get("function_call"u8) is not null)
        {
            throw InexpressibleException.Of(at, "holds audio or a function call, which cannot be said to this model's backend. Use text and tool calls.");
        }

        if (message.Get("content"u8) is { } content)
        {
            Content(content, at);
        }

        if (message.Get("tool_calls"u8) is not { ValueKind: JsonValueKind.Array } calls)
        {
            return;
        }

        var index = 0;
        foreach (var call in calls.EnumerateArray())
        {
            Call(call, $"{at}.tool_calls[{index++}]");
        }
    }

    private void Call(JsonElement call, string at)
    {
        var function = call.Get("function"u8) ?? throw InexpressibleException.Of(at, "is no function call, and only those can be said to this model's backend.");
        json.WriteStartObject();
        json.WriteString("type"u8, "tool_use"u8);
        json.CopyIfAny("id"u8, call.Get("id"u8));
        json.CopyIfAny("name"u8, function.Get("name"u8));
        json.WritePropertyName("input"u8);
        var arguments = function.Text("arguments"u8);
        if (string.IsNullOrWhiteSpace(arguments))
        {
            json.WriteStartObject();
            json.WriteEndObject();
        }
        else
        {
            json.WriteRawValue(ObjectOf(arguments, at), skipInputValidation: true);
        }

        json.WriteEndObject();
    }

    private static string ObjectOf(string arguments, string at)
    {
        try
        {
            using var parsed = JsonDocument.Parse(arguments);
            if (parsed.RootElement.ValueKind == JsonValueKind.Object)
            {
                return arguments;
            }
        }
        catch (JsonException)
        {
            // Said below, in the caller's words.
        }

        throw InexpressibleException.Malformed(at + ".function.arguments", "must be a JSON object, written as a string.");
    }

    private void Result(JsonElement message, string at)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, "tool_result"u8);
        json.Copy("tool_use_id"u8, message.Get("tool_call_id"u8) ?? throw InexpressibleException.Malformed(at + ".tool_call_id", "must name the call that this is the result of."));
        if (message.Get("content"u8) is { } content)
        {
            json.WriteStartArray("content"u8);
            Content(content, at);
            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private void Texts(JsonElement content, string at)
    {
        if (content.IsText)
        {
            Text(content);
            return;
        }

        foreach (var part in Parts(content, at))
        {
            Text(part.Get("text"u8) ?? throw InexpressibleException.Of(at, "must be text."), part.Get("cache_control"u8));
        }
    }

    private void Content(JsonElement? content, string at)
    {
        if (content is not { } some)
        {
            return;
        }

        if (some.IsText)
        {
            Text(some);
            return;
        }

        var index = 0;
        foreach (var part in Parts(some, at))
        {
            ChatParts.Write(part, json, $"{at}.content[{index++}]");
        }
    }

    private static JsonElement.ArrayEnumerator Parts(JsonElement content, string at) => content.ValueKind == JsonValueKind.Array
        ? content.EnumerateArray()
        : throw InexpressibleException.Malformed(at + ".content", "must be a string or an array of parts.");

    private void Text(JsonElement text, JsonElement? cacheControl = null) => ChatParts.Text(text, json, cacheControl);
}
