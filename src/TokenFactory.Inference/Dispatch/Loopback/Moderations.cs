using System.Text;
using System.Text.Json;

namespace TokenFactory.Inference.Dispatch.Loopback;

/// <summary>
/// Answers <c>POST …/moderations</c>: a verdict that a caller can foretell. A text that names a category of OpenAI's ("violence", "hate") as a
/// word of its own is flagged for it, and nothing else is. It judges nobody's words: it is there to try the path with.
/// </summary>
internal static class Moderations
{
    private static readonly string[] _categories =
    [
        "harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent", "self-harm", "self-harm/intent",
        "self-harm/instructions", "sexual", "sexual/minors", "violence", "violence/graphic",
    ];

    public static ReadOnlyMemory<byte> Answer(Fields fields, Guid id)
    {
        var model = fields.Text("model");
        var inputs = Read(fields);
        return fields.Fault is not null ? default : new EventWriter().Document(json =>
        {
            json.WriteString("id"u8, $"modr-{id:N}");
            json.WriteString("model"u8, model);
            json.WriteStartArray("results"u8);
            foreach (var input in inputs)
            {
                Write(json, input);
            }

            json.WriteEndArray();
        });
    }

    /// <summary>A string, strings, or the parts of one content.</summary>
    private static List<(string Text, bool HasImage)> Read(Fields fields)
    {
        if (!fields.TryGet("input", out var value))
        {
            fields.Refuse("input", "You must provide an 'input' parameter.");
            return [];
        }

        if (value.ValueKind != JsonValueKind.Array)
        {
            return [(fields.Text(value, "input"), false)];
        }

        if (value.GetArrayLength() == 0)
        {
            fields.Refuse("input", "Invalid 'input': it is empty.");
            return [];
        }

        return value[0].ValueKind == JsonValueKind.Object
            ? [Content(fields, value)]
            : [.. value.EnumerateArray().Select(item => (fields.Text(item, "input"), false))];
    }

    private static (string Text, bool HasImage) Content(Fields fields, JsonElement parts)
    {
        var (text, hasImage) = (new StringBuilder(), false);
        foreach (var part in parts.EnumerateArray())
        {
            if (part.ValueKind == JsonValueKind.Object && part.TryGetProperty("text", out var said))
            {
                text.Append(fields.Text(said, "input")).Append(' ');
            }
            else if (part.ValueKind == JsonValueKind.Object && part.TryGetProperty("image_url", out _))
            {
                hasImage = true;
            }
            else
            {
                fields.Refuse("input", "Invalid 'input': a part is of type 'text' or 'image_url'.");
            }
        }

        return (text.ToString(), hasImage);
    }

    private static void Write(Utf8JsonWriter json, (string Text, bool HasImage) input)
    {
        var words = input.Text.Split([' ', '\t', '\n', '\r', '.', ',', ';', ':', '!', '?', '"'], StringSplitOptions.RemoveEmptyEntries).ToHashSet(StringComparer.OrdinalIgnoreCase);
        json.WriteStartObject();
        json.WriteBoolean("flagged"u8, _categories.Any(words.Contains));
        json.WriteStartObject("categories"u8);
        foreach (var category in _categories)
        {
            json.WriteBoolean(category, words.Contains(category));
        }

        json.WriteEndObject();
        json.WriteStartObject("category_scores"u8);
        foreach (var category in _categories)
        {
            json.WriteNumber(category, words.Contains(category) ? 1.0 : 0.0);
        }

        json.WriteEndObject();
        json.WriteStartObject("category_applied_input_types"u8);
        foreach (var category in _categories)
        {
            json.WriteStartArray(category);
            json.WriteStringValue("text"u8);
            if (input.HasImage)
            {
                json.WriteStringValue("image"u8);
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }
}
