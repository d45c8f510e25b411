using System.Text;
using System.Text.Json;

namespace TokenFactory.Inference.Dialects.AnthropicToOpenAi;

/// <summary>Writes Anthropic's <c>system</c> and turns as chat messages: each tool result is a message of its own, in front of what else its turn says.</summary>
internal sealed class MessageTurns(Utf8JsonWriter json)
{
    public void Write(JsonElement? system, JsonElement messages)
    {
        json.WriteStartArray("messages"u8);
        if (system is { } words)
        {
            json.WriteStartObject();
            json.WriteString("role"u8, "system"u8);
            Texts(words, "system");
            json.WriteEndObject();
        }

        var index = 0;
        foreach (var message in messages.EnumerateArray())
        {
            Message(message, $"messages[{index++}]");
        }

        json.WriteEndArray();
    }

    private void Message(JsonElement message, string at)
    {
        var content = message.Get("content"u8) ?? throw InexpressibleException.Malformed(at + ".content", "must be a string or an array of blocks.");
        if (content.ValueKind is not (JsonValueKind.String or JsonValueKind.Array))
        {
            throw InexpressibleException.Malformed(at + ".content", "must be a string or an array of blocks.");
        }

        switch (message.Text("role"u8))
        {
            case "user" or "system" when content.IsText:
                json.WriteStartObject();
                json.CopyIfAny("role"u8, message.Get("role"u8));
                json.Copy("content"u8, content);
                json.WriteEndObject();
                break;
            case "user":
                User(content, at);
                break;
            case "system":
                json.WriteStartObject();
                json.WriteString("role"u8, "system"u8);
                Texts(content, at);
                json.WriteEndObject();
                break;
            case "assistant":
                Assistant(content, at);
                break;
            default:
                throw InexpressibleException.Malformed(at + ".role", "must be user or assistant.");
        }
    }

    private void User(JsonElement blocks, string at)
    {
        var (results, others) = (0, 0);
        foreach (var block in blocks.EnumerateArray())
        {
            if (!block.Says("type"u8, "tool_result"u8))
            {
                others++;
                continue;
            }

            Result(block, $"{at}.content[{results++ + others}]");
        }

        if (others == 0)
        {
            return;
        }

        json.WriteStartObject();
        json.WriteString("role"u8, "user"u8);
        json.WriteStartArray("content"u8);
        var index = 0;
        foreach (var block in blocks.EnumerateArray())
        {
            if (!block.Says("type"u8, "tool_result"u8))
            {
                MessageBlocks.Write(block, json, $"{at}.content[{index}]");
            }

            index++;
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void Result(JsonElement block, string at)
    {
        json.WriteStartObject();
        json.WriteString("role"u8, "tool"u8);
        json.Copy("tool_call_id"u8, block.Get("tool_use_id"u8) ?? throw InexpressibleException.Malformed(at + ".tool_use_id", "must name the call that this is the result of."));
        if (block.Get("content"u8) is { } content)
        {
            Texts(content, at);
        }
        else
        {
            json.WriteString("content"u8, ""u8);
        }

        json.WriteEndObject();
    }

    private void Assistant(JsonElement content, string at)
    {
        json.WriteStartObject();
        json.WriteString("role"u8, "assistant"u8);
        if (content.IsText)
        {
            json.Copy("content"u8, content);
            json.WriteEndObject();
            return;
        }

        var index = 0;
        foreach (var block in content.EnumerateArray())
        {
            var kind = block.Text("type"u8);

            // A model's thoughts are its own: another one has no use for them, and OpenAI's dialect no place.
            if (kind is not ("text" or "tool_use" or "thinking" or "redacted_thinking"))
            {
                throw InexpressibleException.Of($"{at}.content[{index}]", "cannot be said to this model's backend. An assistant's turn is text and tool_use there.");
            }

            index++;
        }

        Joined(content, orNull: true);
        ToolCalls.Write(json, content);
        json.WriteEndObject();
    }

    /// <summary>Content that may be text alone.</summary>
    private void Texts(JsonElement content, string at)
    {
        if (content.IsText)
        {
            json.Copy("content"u8, content);
            return;
        }

        if (content.ValueKind != JsonValueKind.Array)
        {
            throw InexpressibleException.Malformed(at, "must be a string or an array of text blocks.");
        }

        foreach (var block in content.EnumerateArray())
        {
            if (!block.Says("type"u8, "text"u8))
            {
                throw InexpressibleException.Of(at, "holds something other than text, which cannot be said there to this model's backend.");
            }
        }

        Joined(content, orNull: false);
    }

    /// <summary>The text of one block goes over as it is; that of several is joined.</summary>
    private void Joined(JsonElement blocks, bool orNull)
    {
        var (count, only) = (0, default(JsonElement));
        StringBuilder? joined = null;
        foreach (var block in blocks.EnumerateArray())
        {
            if (!block.Says("type"u8, "text"u8) || block.Get("text"u8) is not { ValueKind: JsonValueKind.String } text)
            {
                continue;
            }

            if (count++ == 0)
            {
                only = text;
                continue;
            }

            joined ??= new StringBuilder(only.GetString());
            joined.Append(text.GetString());
        }

        if (count == 0 && orNull)
        {
            json.WriteNull("content"u8);
        }
        else if (count == 0)
        {
            json.WriteString("content"u8, ""u8);
        }
        else if (joined is null)
        {
            json.Copy("content"u8, only);
        }
        else
        {
            json.WriteString("content"u8, joined.ToString());
        }
    }
}
