using System.Runtime.InteropServices;
using System.Text.Json;

namespace TokenFactory.Inference.Dialects.OpenAiToAnthropic;

/// <summary>
/// Writes a stream of message events as chunks of a chat completion. Usage comes in a chunk of its own at the end, as OpenAI sends it to
/// whoever asks for it; a caller who did not is spared it by whoever meters.
/// </summary>
/// <param name="created">Unix seconds; a message does not say when it was made.</param>
internal sealed class EventsToChunks(long created, BodyBudget budget) : StreamConverter(budget)
{
    // They are repeated in every chunk.
    private const int NameBoundBytes = 256;

    private byte[] _id = "\"\""u8.ToArray();
    private byte[] _model = "\"\""u8.ToArray();
    private MessageUsage? _usage;
    private bool _finished;
    private bool _callIsEmpty;
    private bool _knowsOutput;
    private int _tools = -1;

    public override ReportedUsage? Usage => _knowsOutput ? _usage?.ToReported() : null;

    public override ReportedUsage? InputUsage => !_knowsOutput && _usage?.ToReported() is { PromptTokens: > 0 } input ? input : null;

    protected override void Words(ReadOnlySpan<byte> data)
    {
        // Nothing that such a stream says.
    }

    protected override void Event(JsonElement data)
    {
        switch (data.Text("type"u8))
        {
            case "message_start":
                Start(data.Get("message"u8) ?? throw new UnreadableAnswerException("a message begins without one"));
                break;
            case "content_block_start":
                Block(data.Get("content_block"u8));
                break;
            case "content_block_delta":
                Delta(data.Get("delta"u8));
                break;
            case "content_block_stop":
                EndBlock();
                break;
            case "message_delta":
                Finish(data);
                break;
            case "message_stop":
                Stop();
                break;
        }
    }

    private void Start(JsonElement message)
    {
        _id = Raw(message.Get("id"u8)) ?? _id;
        _model = Raw(message.Get("model"u8)) ?? _model;
        Count(message);
        var json = Chunk();
        json.WriteString("role"u8, "assistant"u8);
        json.WriteString("content"u8, ""u8);
        EndChunk(null);
    }

    private void Block(JsonElement? block)
    {
        if (block is not { } some)
        {
            return;
        }

        if (some.Says("type"u8, "tool_use"u8))
        {
            _tools++;
            var json = Chunk();
            ToolCall(json);
            json.CopyIfAny("id"u8, some.Get("id"u8));
            json.WriteString("type"u8, "function"u8);
            json.WriteStartObject("function"u8);
            json.CopyIfAny("name"u8, some.Get("name"u8));

            // Some servers say the whole input at once.
            var whole = some.Get("input"u8) is { ValueKind: JsonValueKind.Object } input && input.EnumerateObject().MoveNext() ? input : default(JsonElement?);
            _callIsEmpty = whole is null;
            json.WriteString("arguments"u8, whole is { } said ? JsonMarshal.GetRawUtf8Value(said) : default);
            EndToolCall(json);
        }
        else
        {
            Text("content"u8, some.Get("text"u8));
            Text("reasoning_content"u8, some.Get("thinking"u8));
        }
    }

    private void Delta(JsonElement? delta)
    {
        if (delta is not { } some)
        {
            return;
        }

        Text("content"u8, some.Get("text"u8));
        Text("reasoning_content"u8, some.Get("thinking"u8));
        if (some.Get("partial_json"u8) is { ValueKind: JsonValueKind.String } partial && !partial.IsEmptyText)
        {
            _callIsEmpty = false;
            var json = Chunk();
            ToolCall(json);
            json.WriteStartObject("function"u8);
            json.Copy("arguments"u8, partial);
            EndToolCall(json);
        }
    }

    /// <summary>A tool that takes nothing is called with an object in one dialect, and in the other with the text of one.</summary>
    private void EndBlock()
    {
        if (_callIsEmpty)
        {
            _callIsEmpty = false;
            var json = Chunk();
            ToolCall(json);
            json.WriteStartObject("function"u8);
            json.WriteString("arguments"u8, "{}"u8);
            EndToolCall(json);
        }
    }

    private void Finish(JsonElement data)
    {
        _knowsOutput |= Count(data)?.Output is not null;
        if (data.Get("delta"u8) is { } delta && StopReasons.Of(delta) is { } finish)
        {
            _finished = true;
            Chunk();
            EndChunk(finish);
        }
    }

    private void Stop()
    {
        // Who never said why it finished did not finish.
        if (!_finished)
        {
            return;
        }

        if (_knowsOutput && _usage is { } usage)
        {
            var json = Begin(default);
            Frame(json);
            json.WriteStartArray("choices"u8);
            json.WriteEndArray();
            ChatUsage.Write(json, usage);
            End();
        }

        Say("data: [DONE]\n\n"u8);
    }

    private MessageUsage? Count(JsonElement holder)
    {
        if (holder.Get("usage"u8) is not { } usage || MessageUsage.Parse(JsonMarshal.GetRawUtf8Value(usage)) is not { } counted)
        {
            return null;
        }

        _usage = _usage?.Then(counted) ?? counted;
        return counted;
    }

    private void Text(ReadOnlySpan<byte> name, JsonElement? text)
    {
        if (text is { ValueKind: JsonValueKind.String } some && !some.IsEmptyText)
        {
            Chunk().Copy(name, some);
            EndChunk(null);
        }
    }

    private Utf8JsonWriter Chunk()
    {
        var json = Begin(default);
        Frame(json);
        json.WriteStartArray("choices"u8);
        json.WriteStartObject();
        json.WriteNumber("index"u8, 0);
        json.WriteStartObject("delta"u8);
        return json;
    }

    private void EndChunk(string? finish)
    {
        var json = Written;
        json.WriteEndObject();
        json.WriteNull("logprobs"u8);
        json.WriteString("finish_reason"u8, finish);
        json.WriteEndObject();
        json.WriteEndArray();
        End();
    }

    private void ToolCall(Utf8JsonWriter json)
    {
        json.WriteStartArray("tool_calls"u8);
        json.WriteStartObject();
        json.WriteNumber("index"u8, Math.Max(_tools, 0));
    }

    private void EndToolCall(Utf8JsonWriter json)
    {
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndArray();
        EndChunk(null);
    }

    private void Frame(Utf8JsonWriter json)
    {
        json.WritePropertyName("id"u8);
        json.WriteRawValue(_id, skipInputValidation: true);
        json.WriteString("object"u8, "chat.completion.chunk"u8);
        json.WriteNumber("created"u8, created);
        json.WritePropertyName("model"u8);
        json.WriteRawValue(_model, skipInputValidation: true);
    }

    private static byte[]? Raw(JsonElement? text) =>
        text is { ValueKind: JsonValueKind.String } some && JsonMarshal.GetRawUtf8Value(some) is { Length: <= NameBoundBytes } raw ? raw.ToArray() : null;
}
