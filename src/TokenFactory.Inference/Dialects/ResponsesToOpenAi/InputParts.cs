using System.Text.Json;

namespace TokenFactory.Inference.Dialects.ResponsesToOpenAi;

/// <summary>Writes the content parts of an item as parts of a chat message.</summary>
internal static class InputParts
{
    public static void Write(JsonElement part, Utf8JsonWriter json, string at)
    {
        json.WriteStartObject();
        switch (part.Text("type"u8))
        {
            case "input_text" or "output_text" or "text":
                json.WriteString("type"u8, "text"u8);
                json.Copy("text"u8, part.Get("text"u8) ?? throw InexpressibleException.Malformed(at + ".text", "must be a string."));
                break;
            case "refusal":
                json.WriteString("type"u8, "refusal"u8);
                json.Copy("refusal"u8, part.Get("refusal"u8) ?? throw InexpressibleException.Malformed(at + ".refusal", "must be a string."));
                break;
            case "input_image":
                json.WriteString("type"u8, "image_url"u8);
                json.WriteStartObject("image_url"u8);
                json.Copy("url"u8, part.Get("image_url"u8) ?? throw InexpressibleException.Malformed(at + ".image_url", "must be a URL or a data URL."));
                json.CopyIfAny("detail"u8, part.Get("detail"u8));
                json.WriteEndObject();
                break;
            case "input_file" when part.Get("file_data"u8) is { } data:
                json.WriteString("type"u8, "file"u8);
                json.WriteStartObject("file"u8);
                json.CopyIfAny("filename"u8, part.Get("filename"u8));
                json.Copy("file_data"u8, data);
                json.WriteEndObject();
                break;
            case "input_file":
                throw InexpressibleException.Of(at, "without 'file_data' cannot be said to this model's backend. Send the file's own data.");
            case "input_audio":
                json.WriteString("type"u8, "input_audio"u8);
                json.CopyIfAny("input_audio"u8, part.Get("input_audio"u8));
                break;
            case null:
                throw InexpressibleException.Malformed(at + ".type", "must say what the part is.");
            default:
                throw InexpressibleException.Of(at, "is of a type that cannot be said to this model's backend. Use input_text, input_image or input_file.");
        }

        json.WriteEndObject();
    }
}
