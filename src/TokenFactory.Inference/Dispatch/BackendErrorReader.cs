using System.Globalization;
using System.Text;
using System.Text.Json;

namespace TokenFactory.Inference.Dispatch;

/// <summary>
/// Reads the error shapes of real servers: nested (<c>{"error":{…}}</c>), flat (<c>{"object":"error",…}</c>), string
/// (<c>{"error":"…"}</c>, TGI adds <c>error_type</c>), FastAPI (<c>{"detail":…}</c>), a list of one (<c>[{"error":…}]</c>)
/// and plain text. A body cut short yields what was read until then; HTML yields no message.
/// </summary>
internal static class BackendErrorReader
{
    private const int BodyLimitBytes = 64 * 1024;
    private const int MessageLimit = 2048;
    private const int NameLimit = 128;

    public static BackendError Read(ReadOnlySpan<byte> body, int? status)
    {
        body = Trim(body[..Math.Min(body.Length, BodyLimitBytes)]);
        var error = new BackendError(null, null, null, status, null);
        if (body.IsEmpty || body[0] is not ((byte)'{' or (byte)'['))
        {
            return error with { Message = FirstLine(body) };
        }

        // Not the final block: a body cut short is read as far as it goes, not refused.
        var reader = new Utf8JsonReader(body, isFinalBlock: false, default);
        try
        {
            while (reader.Read() && reader.TokenType != JsonTokenType.StartObject)
            {
            }

            Members(ref reader, ref error, status is null);
        }
        catch (JsonException)
        {
            // What was read before the damage stands.
        }

        return error;
    }

    private static void Members(ref Utf8JsonReader reader, ref BackendError error, bool takeStatus)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString();
            if (!reader.Read())
            {
                return;
            }

            switch (name)
            {
                case "error" or "detail" when reader.TokenType == JsonTokenType.StartObject:
                    Members(ref reader, ref error, takeStatus);
                    break;
                case "detail" when reader.TokenType == JsonTokenType.StartArray:
                    Detail(ref reader, ref error);
                    break;
                case "error" or "message" or "detail" or "msg":
                    error = error with { Message = Text(ref reader, MessageLimit) ?? error.Message };
                    break;
                case "type" or "error_type":
                    // Anthropic's envelope says type "error" of itself; the inner type is the one that tells.
                    var type = Text(ref reader, NameLimit);
                    error = error with { Type = type is null or "error" ? error.Type : type };
                    break;
                case "param":
                    error = error with { Param = Text(ref reader, NameLimit) ?? error.Param };
                    break;
                case "code":
                    var code = Text(ref reader, NameLimit);
                    error = error with
                    {
                        Code = code ?? error.Code,
                        Status = takeStatus ? Status(code) ?? error.Status : error.Status,
                    };
                    break;
                case "status" or "status_code" when takeStatus:
                    error = error with { Status = Status(Text(ref reader, NameLimit)) ?? error.Status };
                    break;
                default:
                    if (!reader.TrySkip())
                    {
                        return;
                    }

                    break;
            }
        }
    }

    /// <summary>FastAPI: <c>[{"loc":["body","messages"],"msg":"…","type":"…"}]</c>; the first one speaks for all.</summary>
    private static void Detail(ref Utf8JsonReader reader, ref BackendError error)
    {
        var depth = reader.CurrentDepth;
        while (reader.Read() && reader.CurrentDepth > depth)
        {
            if (reader.TokenType != JsonTokenType.PropertyName)
            {
                continue;
            }

            if (reader.ValueTextEquals("msg"u8) && reader.Read())
            {
                error = error with { Message = error.Message ?? Text(ref reader, MessageLimit) };
            }
            else if (reader.ValueTextEquals("type"u8) && reader.Read())
            {
                error = error with { Type = error.Type ?? Text(ref reader, NameLimit) };
            }
        }
    }

    private static string? Text(ref Utf8JsonReader reader, int limit)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.String:
                var text = TryGetString(ref reader);
                return string.IsNullOrEmpty(text) ? null : Cut(text, limit);
            case JsonTokenType.Number:
                return Cut(Encoding.UTF8.GetString(reader.ValueSpan), NameLimit);
            default:
                reader.TrySkip();
                return null;
        }
    }

    /// <summary>Bytes that are no UTF-8 and half surrogates make <c>GetString</c> throw: shown as they are, replaced where broken.</summary>
    private static string TryGetString(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            return Encoding.UTF8.GetString(reader.ValueSpan);
        }
    }

    private static int? Status(string? text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var status) && status is >= 400 and <= 599
            ? status
            : null;

    private static string? FirstLine(ReadOnlySpan<byte> body)
    {
        var end = body.IndexOfAny((byte)'\n', (byte)'\r');
        var line = end < 0 ? body : body[..end];
        return line.IsEmpty || line[0] == '<' ? null : Cut(Encoding.UTF8.GetString(line), MessageLimit).Trim();
    }

    private static string Cut(string text, int limit)
    {
        if (text.Length <= limit)
        {
            return text;
        }

        return text[..(char.IsHighSurrogate(text[limit - 1]) ? limit - 1 : limit)];
    }

    private static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> body) =>
        (body.StartsWith("\uFEFF"u8) ? body[3..] : body).Trim(" \t\r\n"u8);
}
