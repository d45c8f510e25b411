using System.Text.Json;

namespace TokenFactory.Inference.Dialects.OpenAiToAnthropic;

/// <summary>Writes the parts of a chat message as content blocks.</summary>
internal static class ChatParts
{
    public static void Write(JsonElement part, Utf8JsonWriter json, string at)
    {
        switch (part.Text("type"u8))
        {
            case "text":
                Text(part.Get("text"u8) ?? throw InexpressibleException.Malformed(at + ".text", "must be a string."), json, part.Get("cache_control"u8));
                break;
            case "refusal":
                Text(part.Get("refusal"u8) ?? throw InexpressibleException.Malformed(at + ".refusal", "must be a string."), json, null);
                break;
            case "image_url":
                Image(part.Get("image_url"u8)?.Text("url"u8) ?? throw InexpressibleException.Malformed(at + ".image_url.url", "must be a URL."), json, at);
                break;
            case "file":
                File(part.Get("file"u8), json, at);
                break;
            case null:
                throw InexpressibleException.Malformed(at + ".type", "must say what the part is.");
            default:
                throw InexpressibleException.Of(at, "is of a type that cannot be said to this model's backend. Use text, image_url, or a file with its data.");
        }
    }

    /// <summary>Anthropic refuses a block without text, which says nothing anyway.</summary>
    public static void Text(JsonElement text, Utf8JsonWriter json, JsonElement? cacheControl)
    {
        if (text.IsEmptyText)
        {
            return;
        }

        json.WriteStartObject();
        json.WriteString("type"u8, "text"u8);
        json.Copy("text"u8, text);
        json.CopyIfAny("cache_control"u8, cacheControl);
        json.WriteEndObject();
    }

    private static void Image(string url, Utf8JsonWriter json, string at)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, "image"u8);
        json.WriteStartObject("source"u8);
        if (url.StartsWith("data:", StringComparison.OrdinalIgnoreCase))
        {
            Data(url, json, at + ".image_url.url");
        }
        else
        {
            json.WriteString("type"u8, "url"u8);
            json.WriteString("url"u8, url);
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void File(JsonElement? file, Utf8JsonWriter json, string at)
    {
        var data = file?.Text("file_data"u8)
            ?? throw InexpressibleException.Of(at + ".file", "without its data cannot be said to this model's backend. Send 'file_data' as a data URL.");
        json.WriteStartObject();
        json.WriteString("type"u8, "document"u8);
        json.WriteStartObject("source"u8);
        Data(data, json, at + ".file.file_data");
        json.WriteEndObject();
        json.CopyIfAny("title"u8, file?.Get("filename"u8));
        json.WriteEndObject();
    }

    private static void Data(string url, Utf8JsonWriter json, string at)
    {
        const string Base64 = ";base64,";
        var comma = url.IndexOf(Base64, StringComparison.OrdinalIgnoreCase);
        if (!url.StartsWith("data:", StringComparison.OrdinalIgnoreCase) || comma < 0)
        {
            throw InexpressibleException.Malformed(at, "must be a data URL in base64, such as data:image/png;base64,…");
        }

        json.WriteString("type"u8, "base64"u8);
        json.WriteString("media_type"u8, url.AsSpan(5, comma - 5));
        json.WriteString("data"u8, url.AsSpan(comma + Base64.Length));
    }
}
