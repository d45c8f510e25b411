using System.Text.Json;
using TokenFactory.Inference.Dispatch.Loopback.Choices;

namespace TokenFactory.Inference.Dispatch.Loopback;

/// <summary>Answers <c>POST …/responses</c>: says the last user message back, or makes the tool call that was insisted on. It keeps nothing, so a response that is gone on from adds nothing.</summary>
internal static class Responses
{
    private const int PerMessage = 3;
    private const int PerReply = 3;

    public static ResponseReply Answer(Fields fields, Guid id, long created, CountTokens count)
    {
        var stream = fields.Flag("stream");
        var most = Math.Min(fields.Whole("max_output_tokens", 1, int.MaxValue) ?? Generation.MostTokens, Generation.MostTokens);
        var asked = new Generation(fields.Text("model"), 1, most, [], stream, IncludeUsage: true);
        var (last, prompt) = ReadInput(fields, count);
        var previous = fields.TryGet("previous_response_id", out var before) ? fields.Text(before, "previous_response_id") : null;
        if (ForcedTool.Read(fields, isFlat: true) is { } function)
        {
            return new ResponseReply(id, created, asked, previous, null, function, new Usage(prompt, ToolCallChoice.Tokens(function, count)));
        }

        var echo = Echo.Of(last, asked, count);
        return new ResponseReply(id, created, asked, previous, echo, null, new Usage(prompt, echo.Tokens));
    }

    private static (string Last, int Tokens) ReadInput(Fields fields, CountTokens count)
    {
        var tokens = PerReply;
        if (fields.TryGet("instructions", out var instructions))
        {
            tokens += PerMessage + Echo.Count(fields.Text(instructions, "instructions"), count);
        }

        if (!fields.TryGet("input", out var input))
        {
            return ("", tokens);
        }

        if (input.ValueKind != JsonValueKind.Array)
        {
            var text = fields.Text(input, "input");
            return (text, tokens + PerMessage + Echo.Count(text, count));
        }

        string? user = null;
        var last = "";
        foreach (var item in input.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Object)
            {
                fields.Refuse("input", "Invalid 'input': each item is an object.");
                break;
            }

            last = TextOf(fields, item);
            user = item.TryGetProperty("role", out var role) && fields.Text(role, "input") == "user" ? last : user;
            tokens += PerMessage + Echo.Count(last, count);
        }

        return (user ?? last, tokens);
    }

    private static string TextOf(Fields fields, JsonElement item)
    {
        foreach (var name in (string[])["content", "output", "arguments"])
        {
            if (!item.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null)
            {
                continue;
            }

            return value.ValueKind != JsonValueKind.Array
                ? fields.Text(value, "input")
                : string.Concat(value.EnumerateArray().Select(part =>
                    part.ValueKind == JsonValueKind.Object && part.TryGetProperty("text", out var text) ? fields.Text(text, "input") : ""));
        }

        return "";
    }
}
