using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace TokenFactory.Inference.Dialects.AnthropicToOpenAi;

/// <summary>
/// Writes the chunks of a chat completion as the events of a message. The message ends when the backend says its last word, and only if a
/// chunk said why it finished.
/// </summary>
internal sealed class ChunksToEvents(BodyBudget budget) : StreamConverter(budget)
{
    private readonly List<int> _open = [];
    private readonly Dictionary<int, int> _tools = [];
    private ReportedUsage? _usage;
    private string? _stop;
    private byte[]? _sequence;
    private bool _begun;
    private int _blocks;
    private Kind _kind;

    public override ReportedUsage? Usage => _usage is { IsAllZero: true } ? null : _usage;

    private enum Kind
    {
        None,
        Text,
        Thinking,
        Tools,
    }

    protected override void Words(ReadOnlySpan<byte> data)
    {
        if (data.StartsWith("[DONE]"u8) && _begun && _stop is not null)
        {
            Finish();
        }
    }

    protected override void Event(JsonElement data)
    {
        if (data.Get("usage"u8) is { } usage && ReportedUsage.Parse(JsonMarshal.GetRawUtf8Value(usage)) is { } reported && (_usage is null || !reported.IsAllZero))
        {
            _usage = reported;
        }

        if (data.Get("choices"u8) is not { ValueKind: JsonValueKind.Array } choices)
        {
            return;
        }

        foreach (var choice in choices.EnumerateArray())
        {
            Start(data);
            Choice(choice);
        }
    }

    private void Start(JsonElement chunk)
    {
        if (_begun)
        {
            return;
        }

        _begun = true;
        var json = Begin("message_start"u8);
        json.WriteString("type"u8, "message_start"u8);
        json.WriteStartObject("message"u8);
        json.CopyIfAny("id"u8, chunk.Get("id"u8));
        json.WriteString("type"u8, "message"u8);
        json.WriteString("role"u8, "assistant"u8);
        json.CopyIfAny("model"u8, chunk.Get("model"u8));
        json.WriteStartArray("content"u8);
        json.WriteEndArray();
        json.WriteNull("stop_reason"u8);
        json.WriteNull("stop_sequence"u8);
        MessageCounts.Write(json, _usage);
        json.WriteEndObject();
        End();
    }

    private void Choice(JsonElement choice)
    {
        if (choice.Get("delta"u8) is { } delta)
        {
            Words(Kind.Thinking, delta.Get("reasoning_content"u8) ?? delta.Get("reasoning"u8));
            Words(Kind.Text, delta.Get("content"u8));
            Words(Kind.Text, delta.Get("refusal"u8));
            foreach (var call in delta.Get("tool_calls"u8) is { ValueKind: JsonValueKind.Array } calls ? calls.EnumerateArray() : default)
            {
                Call(call);
            }
        }

        _stop = FinishReasons.Of(choice) ?? _stop;
        _sequence = FinishReasons.StopSequence(choice) is { } sequence ? Encoding.UTF8.GetBytes(sequence.GetRawText()) : _sequence;
    }

    private void Words(Kind kind, JsonElement? text)
    {
        if (text is not { ValueKind: JsonValueKind.String } some || some.IsEmptyText)
        {
            return;
        }

        if (_kind != kind)
        {
            Close();
            _kind = kind;
            var start = StartBlock();
            start.WriteString("type"u8, kind == Kind.Text ? "text"u8 : "thinking"u8);
            start.WriteString(kind == Kind.Text ? "text"u8 : "thinking"u8, ""u8);
            if (kind == Kind.Thinking)
            {
                start.WriteString("signature"u8, ""u8);
            }

            EndBlockEvent();
        }

        var json = StartDelta(_blocks - 1);
        json.WriteString("type"u8, kind == Kind.Text ? "text_delta"u8 : "thinking_delta"u8);
        json.Copy(kind == Kind.Text ? "text"u8 : "thinking"u8, some);
        EndBlockEvent();
    }

    private void Call(JsonElement call)
    {
        var index = call.Get("index"u8) is { ValueKind: JsonValueKind.Number } number && number.TryGetInt32(out var said) ? said : _tools.Count;
        var function = call.Get("function"u8);
        if (!_tools.TryGetValue(index, out var block))
        {
            if (_kind != Kind.Tools)
            {
                Close();
                _kind = Kind.Tools;
            }

            block = _tools[index] = _blocks;
            var start = StartBlock();
            start.WriteString("type"u8, "tool_use"u8);
            start.CopyIfAny("id"u8, call.Get("id"u8));
            start.CopyIfAny("name"u8, function?.Get("name"u8));
            start.WriteStartObject("input"u8);
            start.WriteEndObject();
            EndBlockEvent();
        }

        if (function?.Get("arguments"u8) is { ValueKind: JsonValueKind.Object } whole)
        {
            var delta = StartDelta(block);
            delta.WriteString("type"u8, "input_json_delta"u8);
            delta.WriteString("partial_json"u8, JsonMarshal.GetRawUtf8Value(whole));
            EndBlockEvent();
        }
        else if (function?.Get("arguments"u8) is { ValueKind: JsonValueKind.String } arguments && !arguments.IsEmptyText)
        {
            var json = StartDelta(block);
            json.WriteString("type"u8, "input_json_delta"u8);
            json.Copy("partial_json"u8, arguments);
            EndBlockEvent();
        }
    }

    private Utf8JsonWriter StartBlock()
    {
        _open.Add(_blocks);
        var json = Begin("content_block_start"u8);
        json.WriteString("type"u8, "content_block_start"u8);
        json.WriteNumber("index"u8, _blocks++);
        json.WriteStartObject("content_block"u8);
        return json;
    }

    private Utf8JsonWriter StartDelta(int block)
    {
        var json = Begin("content_block_delta"u8);
        json.WriteString("type"u8, "content_block_delta"u8);
        json.WriteNumber("index"u8, block);
        json.WriteStartObject("delta"u8);
        return json;
    }

    private void EndBlockEvent()
    {
        Written.WriteEndObject();
        End();
    }

    /// <summary>Tools that are called together stay open together, for their arguments may take turns.</summary>
    private void Close()
    {
        foreach (var block in _open)
        {
            var json = Begin("content_block_stop"u8);
            json.WriteString("type"u8, "content_block_stop"u8);
            json.WriteNumber("index"u8, block);
            End();
        }

        _open.Clear();
    }

    private void Finish()
    {
        Close();
        var json = Begin("message_delta"u8);
        json.WriteString("type"u8, "message_delta"u8);
        json.WriteStartObject("delta"u8);
        json.WriteString("stop_reason"u8, _stop);
        json.WritePropertyName("stop_sequence"u8);
        if (_sequence is null)
        {
            json.WriteNullValue();
        }
        else
        {
            json.WriteRawValue(_sequence, skipInputValidation: true);
        }

        json.WriteEndObject();
        MessageCounts.Write(json, _usage);
        End();
        json = Begin("message_stop"u8);
        json.WriteString("type"u8, "message_stop"u8);
        End();
    }
}
