using System.Text;
using System.Text.Json;

namespace TokenFactory.Inference.Dispatch.Loopback.Choices;

/// <summary>Answers <c>POST …/chat/completions</c>: says the last user message back, or makes the tool call that was insisted on.</summary>
internal static class Chat
{
    // OpenAI's rule for prompts: each message is framed by three tokens, a name costs one, and the reply is primed with three.
    private const int PerMessage = 3;
    private const int PerName = 1;
    private const int PerReply = 3;

    public static Reply Answer(Fields fields, Guid id, long created, CountTokens count)
    {
        var asked = Generation.Read(fields);
        var (last, prompt) = ReadMessages(fields, count);
        if (ForcedTool.Read(fields) is { } function)
        {
            var calls = Choices(asked, i => new ToolCallChoice($"call_{id:N}{i}", function));
            return Of(id, created, asked, calls, new Usage(prompt, ToolCallChoice.Tokens(function, count) * asked.Choices));
        }

        var echo = Echo.Of(last, asked, count);
        return Of(id, created, asked, Choices(asked, _ => new ChatChoice(echo)), new Usage(prompt, echo.Tokens * asked.Choices));
    }

    private static Reply Of(Guid id, long created, Generation asked, IChoice[] choices, Usage usage) =>
        new($"chatcmpl-{id:N}", created, "chat.completion", "chat.completion.chunk", asked, choices, usage);

    private static IChoice[] Choices(Generation asked, Func<int, IChoice> choice) =>
        [.. Enumerable.Range(0, asked.Choices).Select(choice)];

    private static (string Last, int Tokens) ReadMessages(Fields fields, CountTokens count)
    {
        if (!fields.TryGet("messages", out var messages) || messages.ValueKind != JsonValueKind.Array || messages.GetArrayLength() == 0)
        {
            fields.Refuse("messages", "You must provide 'messages': an array with at least one message.");
            return ("", 0);
        }

        string? user = null;
        var last = "";
        var tokens = PerReply;
        foreach (var message in messages.EnumerateArray())
        {
            if (message.ValueKind != JsonValueKind.Object || !message.TryGetProperty("role", out var role))
            {
                fields.Refuse("messages", "Invalid 'messages': each is an object with a 'role'.");
                break;
            }

            var speaker = fields.Text(role, "messages");
            last = Content(fields, message);
            user = speaker == "user" ? last : user;
            tokens += PerMessage + Echo.Count(speaker, count) + Echo.Count(last, count);
            if (message.TryGetProperty("name", out var name) && name.ValueKind == JsonValueKind.String)
            {
                tokens += PerName + Echo.Count(fields.Text(name, "messages"), count);
            }
        }

        return (user ?? last, tokens);
    }

    private static string Content(Fields fields, JsonElement message)
    {
        if (!message.TryGetProperty("content", out var content) || content.ValueKind == JsonValueKind.Null)
        {
            return "";
        }

        if (content.ValueKind != JsonValueKind.Array)
        {
            return fields.Text(content, "messages");
        }

        var text = new StringBuilder();
        foreach (var part in content.EnumerateArray())
        {
            if (part.ValueKind != JsonValueKind.Object)
            {
                fields.Refuse("messages", "Invalid 'messages': a content part is an object.");
            }
            else if (part.TryGetProperty("text", out var said))
            {
                text.Append(fields.Text(said, "messages"));
            }
        }

        return text.ToString();
    }
}
