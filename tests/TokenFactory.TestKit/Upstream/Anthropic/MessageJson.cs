using System.Globalization;
using System.Text;
using System.Text.Json;
using TokenFactory.TestKit.Upstream.Steps;

namespace TokenFactory.TestKit.Upstream.Anthropic;

/// <summary>Messages, their stream's events and errors as Anthropic writes them. Text is put on the wire as plain UTF-8, or,
/// where the style says so, with every character outside ASCII escaped.</summary>
internal static class MessageJson
{
    public static ReadOnlyMemory<byte> Whole(Play play, MessageAnswer answer, UpstreamUsage? usage) => CompletionJson.Write(json =>
    {
        json.WriteString("id", play.Id);
        json.WriteString("type", "message");
        json.WriteString("role", "assistant");
        json.WriteString("model", play.Upstream.ReportedModel ?? play.Ask.Model);
        json.WriteStartArray("content");
        foreach (var (index, block) in answer.Blocks.Index())
        {
            Block(json, play, block, index, whole: true);
        }

        json.WriteEndArray();
        WriteStop(json, answer.StopReason, answer.StopSequence);
        WriteUsage(json, usage, whole: true);
    });

    public static ReadOnlyMemory<byte> Start(Play play, UpstreamUsage? usage) => CompletionJson.Write(json =>
    {
        json.WriteString("type", "message_start");
        json.WriteStartObject("message");
        json.WriteString("id", play.Id);
        json.WriteString("type", "message");
        json.WriteString("role", "assistant");
        json.WriteString("model", play.Upstream.ReportedModel ?? play.Ask.Model);
        json.WriteStartArray("content");
        json.WriteEndArray();
        WriteStop(json, null, null);
        WriteUsage(json, usage, whole: true);
        json.WriteEndObject();
    });

    public static ReadOnlyMemory<byte> BlockStart(Play play, MessageBlock block, int index) => CompletionJson.Write(json =>
    {
        json.WriteString("type", "content_block_start");
        json.WriteNumber("index", index);
        json.WritePropertyName("content_block");
        Block(json, play, block, index, whole: false);
    });

    public static ReadOnlyMemory<byte> Delta(Play play, int index, string type, string member, string text) => CompletionJson.Write(json =>
    {
        json.WriteString("type", "content_block_delta");
        json.WriteNumber("index", index);
        json.WriteStartObject("delta");
        json.WriteString("type", type);
        WriteText(json, play, member, text);
        json.WriteEndObject();
    });

    public static ReadOnlyMemory<byte> BlockStop(int index) => CompletionJson.Write(json =>
    {
        json.WriteString("type", "content_block_stop");
        json.WriteNumber("index", index);
    });

    public static ReadOnlyMemory<byte> MessageDelta(string reason, string? sequence, UpstreamUsage? usage) => CompletionJson.Write(json =>
    {
        json.WriteString("type", "message_delta");
        json.WriteStartObject("delta");
        WriteStop(json, reason, sequence);
        json.WriteEndObject();
        WriteUsage(json, usage, whole: false);
    });

    public static ReadOnlyMemory<byte> Error(Play play, string type, string message) => CompletionJson.Write(json =>
    {
        json.WriteString("type", "error");
        json.WriteStartObject("error");
        json.WriteString("type", type);
        json.WriteString("message", message);
        json.WriteEndObject();
        json.WriteString("request_id", play.RequestId);
    });

    private static void WriteStop(Utf8JsonWriter json, string? reason, string? sequence)
    {
        json.WriteString("stop_reason", reason);
        json.WriteString("stop_sequence", sequence);
        json.WriteNull("stop_details");
    }

    /// <summary>Anthropic states what a cache had or took beside the input; the books hold it inside.</summary>
    private static void WriteUsage(Utf8JsonWriter json, UpstreamUsage? usage, bool whole)
    {
        if (usage is null)
        {
            return;
        }

        json.WriteStartObject("usage");
        json.WriteNumber("input_tokens", usage.Prompt - usage.Cached - usage.CacheWritten);
        json.WriteNumber("cache_creation_input_tokens", usage.CacheWritten);
        json.WriteNumber("cache_read_input_tokens", usage.Cached);
        if (whole)
        {
            json.WriteStartObject("cache_creation");
            json.WriteNumber("ephemeral_5m_input_tokens", usage.CacheWritten);
            json.WriteNumber("ephemeral_1h_input_tokens", 0);
            json.WriteEndObject();
            json.WriteString("service_tier", "standard");
        }

        json.WriteNumber("output_tokens", usage.Completion);
        json.WriteStartObject("output_tokens_details");
        json.WriteNumber("thinking_tokens", usage.Reasoning);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Block(Utf8JsonWriter json, Play play, MessageBlock block, int index, bool whole)
    {
        json.WriteStartObject();
        switch (block.Kind)
        {
            case MessageBlockKind.Text:
                json.WriteString("type", "text");
                WriteText(json, play, "text", whole ? block.Whole : "");
                json.WriteNull("citations");
                break;
            case MessageBlockKind.Thinking:
                json.WriteString("type", "thinking");
                WriteText(json, play, "thinking", whole ? block.Whole : "");
                json.WriteString("signature", whole ? block.Signature : "");
                break;
            case MessageBlockKind.RedactedThinking:
                json.WriteString("type", "redacted_thinking");
                json.WriteString("data", block.Whole);
                break;
            default:
                json.WriteString("type", "tool_use");
                json.WriteString("id", string.Create(CultureInfo.InvariantCulture, $"toolu_{play.Upstream.Name}{play.Request.Number}_{index}"));
                json.WriteString("name", block.Tool);
                json.WritePropertyName("input");
                json.WriteRawValue(whole ? block.Input().ToJsonString() : "{}");
                json.WriteStartObject("caller");
                json.WriteString("type", "direct");
                json.WriteEndObject();
                break;
        }

        json.WriteEndObject();
    }

    private static void WriteText(Utf8JsonWriter json, Play play, string member, string text)
    {
        // The writer escapes what lies outside the basic plane whatever it is told, and the real thing sends it as it is.
        json.WritePropertyName(member);
        json.WriteRawValue(play.Style.Escapes ? JsonSerializer.Serialize(text) : Quoted(text));
    }

    private static string Quoted(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (var character in text)
        {
            _ = character switch
            {
                '"' => quoted.Append("\\\""),
                '\\' => quoted.Append("\\\\"),
                '\n' => quoted.Append("\\n"),
                '\t' => quoted.Append("\\t"),
                < ' ' => quoted.Append(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}"),
                _ => quoted.Append(character),
            };
        }

        return quoted.Append('"').ToString();
    }
}
