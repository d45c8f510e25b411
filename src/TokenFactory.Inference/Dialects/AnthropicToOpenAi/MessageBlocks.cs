using System.Text.Json;

namespace TokenFactory.Inference.Dialects.AnthropicToOpenAi;

/// <summary>Writes the content blocks of a user's turn as parts of a chat message.</summary>
internal static class MessageBlocks
{
    public static void Write(JsonElement block, Utf8JsonWriter json, string at)
    {
        switch (block.Text("type"u8))
        {
            case "text":
                Text(block.Get("text"u8) ?? throw InexpressibleException.Malformed(at + ".text", "must be a string."), json);
                break;
            case "image":
                Image(block.Get("source"u8) ?? throw InexpressibleException.Malformed(at + ".source", "must say where the image is."), json, at);
                break;
            case "document":
                Document(block, json, at);
                break;
            case null:
                throw InexpressibleException.Malformed(at + ".type", "must say what the block is.");
            default:
                throw InexpressibleException.Of(at, "is of a type that cannot be said to this model's backend. Use text, image, document or tool_result.");
        }
    }

    private static void Text(JsonElement text, Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, "text"u8);
        json.Copy("text"u8, text);
        json.WriteEndObject();
    }

    private static void Image(JsonElement source, Utf8JsonWriter json, string at)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, "image_url"u8);
        json.WriteStartObject("image_url"u8);
        switch (source.Text("type"u8))
        {
            case "base64":
                json.WriteString("url"u8, DataUrl(source, at));
                break;
            case "url":
                json.CopyIfAny("url"u8, source.Get("url"u8));
                break;
            default:
                throw InexpressibleException.Of(at + ".source", "of this type cannot be said to this model's backend. Use base64 or url.");
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Document(JsonElement block, Utf8JsonWriter json, string at)
    {
        var source = block.Get("source"u8) ?? throw InexpressibleException.Malformed(at + ".source", "must say where the document is.");
        switch (source.Text("type"u8))
        {
            case "text":
                Text(source.Get("data"u8) ?? throw InexpressibleException.Malformed(at + ".source.data", "must be a string."), json);
                break;
            case "base64":
                json.WriteStartObject();
                json.WriteString("type"u8, "file"u8);
                json.WriteStartObject("file"u8);
                json.WriteString("filename"u8, block.Text("title"u8) ?? "document.pdf");
                json.WriteString("file_data"u8, DataUrl(source, at));
                json.WriteEndObject();
                json.WriteEndObject();
                break;
            default:
                throw InexpressibleException.Of(at + ".source", "of this type cannot be said to this model's backend. Use base64 or text.");
        }
    }

    private static string DataUrl(JsonElement source, string at) =>
        source.Text("media_type"u8) is { } type && source.Text("data"u8) is { } data
            ? $"data:{type};base64,{data}"
            : throw InexpressibleException.Malformed(at + ".source", "must have 'media_type' and 'data'.");
}
