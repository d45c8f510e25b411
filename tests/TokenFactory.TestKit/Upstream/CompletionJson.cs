using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using TokenFactory.TestKit.Upstream.Steps;

namespace TokenFactory.TestKit.Upstream;

/// <summary>Completions and their chunks as OpenAI writes them, for chat and for the older text endpoint.</summary>
internal static class CompletionJson
{
    private const long Created = 1_750_000_000;
    private static readonly JsonWriterOptions _plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>One chunk with one choice.</summary>
    public static ReadOnlySpan<byte> Chunk(Play play, int index, Action<Utf8JsonWriter>? delta, string? text, string? finish)
        => Chunk(play, json => Choice(json, play.Ask, index, chunk: true, delta, text, finish), UsageOf(play));

    /// <summary>A chunk without choices.</summary>
    public static ReadOnlySpan<byte> UsageChunk(Play play, UpstreamUsage usage)
    {
        play.Request.Stated(usage);
        return Chunk(play, null, json => WriteUsage(json, usage));
    }

    public static ReadOnlyMemory<byte> Whole(Play play, IReadOnlyList<string> texts, string finish, UpstreamUsage? usage) => Write(json =>
    {
        Opening(json, play, play.Ask.Operation == UpstreamOperation.Completions ? "text_completion" : "chat.completion");
        json.WriteStartArray("choices");
        for (var index = 0; index < texts.Count; index++)
        {
            var text = texts[index];
            Choice(json, play.Ask, index, chunk: false, message => WriteMessage(message, play, text), text, finish);
        }

        json.WriteEndArray();
        if (usage is not null)
        {
            WriteUsage(json, usage);
        }
    });

    public static ReadOnlyMemory<byte> Write(Action<Utf8JsonWriter> members)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using var json = new Utf8JsonWriter(buffer, _plain);
        json.WriteStartObject();
        members(json);
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenMemory;
    }

    public static void WriteUsage(Utf8JsonWriter json, UpstreamUsage usage)
    {
        json.WriteStartObject("usage");
        json.WriteNumber("prompt_tokens", usage.Prompt);
        json.WriteNumber("completion_tokens", usage.Completion);
        json.WriteNumber("total_tokens", usage.Total);
        json.WriteStartObject("prompt_tokens_details");
        json.WriteNumber("cached_tokens", usage.Cached);
        json.WriteEndObject();
        json.WriteStartObject("completion_tokens_details");
        json.WriteNumber("reasoning_tokens", usage.Reasoning);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    public static void WriteToolCall(Utf8JsonWriter json, string? id, string? name, string arguments, int? index)
    {
        json.WriteStartObject();
        if (index is { } at)
        {
            json.WriteNumber("index", at);
        }

        if (id is not null)
        {
            json.WriteString("id", id);
            json.WriteString("type", "function");
        }

        json.WriteStartObject("function");
        if (name is not null)
        {
            json.WriteString("name", name);
        }

        json.WriteString("arguments", arguments);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static ReadOnlySpan<byte> Chunk(Play play, Action<Utf8JsonWriter>? choice, Action<Utf8JsonWriter>? usage) => Write(json =>
    {
        Opening(json, play, play.Ask.Operation == UpstreamOperation.Completions ? "text_completion" : "chat.completion.chunk");
        json.WriteStartArray("choices");
        choice?.Invoke(json);
        json.WriteEndArray();
        usage?.Invoke(json);
    }).Span;

    private static void Opening(Utf8JsonWriter json, Play play, string kind)
    {
        json.WriteString("id", play.Id);
        json.WriteString("object", kind);
        json.WriteNumber("created", Created);
        json.WriteString("model", play.Upstream.ReportedModel ?? play.Ask.Model);
        json.WriteString("system_fingerprint", play.Upstream.Fingerprint);
    }

    private static void Choice(Utf8JsonWriter json, UpstreamAsk ask, int index, bool chunk, Action<Utf8JsonWriter>? content, string? text, string? finish)
    {
        json.WriteStartObject();
        json.WriteNumber("index", index);
        if (ask.Operation == UpstreamOperation.Completions)
        {
            json.WriteString("text", text ?? "");
        }
        else
        {
            json.WriteStartObject(chunk ? "delta" : "message");
            content?.Invoke(json);
            json.WriteEndObject();
        }

        json.WriteNull("logprobs");
        json.WriteString("finish_reason", finish);
        json.WriteEndObject();
    }

    private static void WriteMessage(Utf8JsonWriter json, Play play, string text)
    {
        json.WriteString("role", "assistant");
        if (play.Ask.Tool is not { } tool)
        {
            json.WriteString("content", text);
            json.WriteNull("refusal");
            return;
        }

        json.WriteNull("content");
        json.WriteStartArray("tool_calls");
        WriteToolCall(json, $"call_{play.Request.Number}", tool, text, index: null);
        json.WriteEndArray();
    }

    private static Action<Utf8JsonWriter>? UsageOf(Play play)
    {
        var style = play.Style.Usage == ChunkUsage.AsAsked && play.Ask.ContinuousUsage ? ChunkUsage.Cumulative : play.Style.Usage;
        switch (style)
        {
            case ChunkUsage.Zero:
                var zero = new UpstreamUsage(0, 0);
                play.Request.Stated(zero);
                return json => WriteUsage(json, zero);
            case ChunkUsage.Cumulative:
                var soFar = play.Usage with { Completion = play.Request.CompletionTokens };
                play.Request.Stated(soFar);
                return json => WriteUsage(json, soFar);
            case ChunkUsage.AsAsked when play.Ask.IncludeUsage:
                return json => json.WriteNull("usage");
            default:
                return null;
        }
    }
}
