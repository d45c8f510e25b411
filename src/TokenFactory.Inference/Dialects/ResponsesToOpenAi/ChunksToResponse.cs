using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using TokenFactory.Inference.Dialects.Events;

namespace TokenFactory.Inference.Dialects.ResponsesToOpenAi;

/// <summary>
/// Writes the chunks of a chat completion as the events of a response, numbered. The response ends when the backend says its last word, and only
/// if a chunk said why it finished.
/// </summary>
/// <param name="created">Unix seconds.</param>
internal sealed class ChunksToResponse(long created, BodyBudget budget) : StreamConverter(budget)
{
    // The last event tells the whole answer once more, and an event has a bound.
    private const int AnswerBoundBytes = 8 * 1024 * 1024;
    private const int ItemBytes = 2048;

    // The end tells all of it in four events, and whoever meters holds the last one once more.
    private const int Forms = 8;

    private readonly BudgetShare _share = new(budget);
    private readonly List<AnswerItem> _items = [];
    private readonly List<AnswerItem> _open = [];
    private readonly Dictionary<int, AnswerItem> _calls = [];
    private ReportedUsage? _usage;
    private string _id = "";
    private byte[] _model = [];
    private string? _reason;
    private bool _begun;
    private long _number;
    private long _bytes;

    public override ReportedUsage? Usage => _usage is { IsAllZero: true } ? null : _usage;

    public override void Dispose()
    {
        foreach (var item in _items)
        {
            item.Dispose();
        }

        _share.Dispose();
        base.Dispose();
    }

    protected override void Words(ReadOnlySpan<byte> data)
    {
        if (data.StartsWith("[DONE]"u8) && _begun && _reason is not null)
        {
            Close();
            var type = "response." + ResponseWriter.StatusOf(_reason);
            var json = Start(type);
            Response(json, _reason);
            End();
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
            Begin(data);
            if (choice.Get("delta"u8) is { } delta)
            {
                Said(ItemKind.Reasoning, delta.Get("reasoning_content"u8) ?? delta.Get("reasoning"u8));
                Said(ItemKind.Text, delta.Get("content"u8));
                Said(ItemKind.Refusal, delta.Get("refusal"u8));
                foreach (var call in delta.Get("tool_calls"u8) is { ValueKind: JsonValueKind.Array } calls ? calls.EnumerateArray() : default)
                {
                    Call(call);
                }
            }

            _reason = ResponseStatus.ReasonOf(choice) ?? _reason;
        }
    }

    private void Begin(JsonElement chunk)
    {
        if (_begun)
        {
            return;
        }

        _begun = true;
        (_id, _model) = (ResponseId.Of(chunk), ResponseId.ModelOf(chunk));
        foreach (var type in (string[])["response.created", "response.in_progress"])
        {
            Response(Start(type), reason: null);
            End();
        }
    }

    private void Said(ItemKind kind, JsonElement? text)
    {
        if (text is not { ValueKind: JsonValueKind.String } some || some.IsEmptyText)
        {
            return;
        }

        if (_open is not [{ } item] || item.Kind != kind)
        {
            Close();
            item = Open(new AnswerItem(kind, _items.Count, _id));
        }

        Delta(item, ResponseId.Inside(some));
    }

    private void Call(JsonElement call)
    {
        var index = call.Get("index"u8) is { ValueKind: JsonValueKind.Number } number && number.TryGetInt32(out var said) ? said : _calls.Count;
        if (!_calls.TryGetValue(index, out var item))
        {
            if (_open is [{ Kind: not ItemKind.Call }, ..])
            {
                Close();
            }

            // Its arguments are told in an event of their own, whoever says them at once.
            using var named = ResponseId.Call(call, _items.Count, _id);
            item = _calls[index] = Open(new AnswerItem(ItemKind.Call, _items.Count, _id) { CallId = named.CallId, Name = named.Name });
        }

        var arguments = ResponseId.Arguments(call.Get("function"u8));
        if (arguments.Length > 0)
        {
            Delta(item, arguments);
        }
    }

    private AnswerItem Open(AnswerItem item)
    {
        Take(ItemBytes);
        _items.Add(item);
        _open.Add(item);
        var json = Start("response.output_item.added");
        json.WriteNumber("output_index"u8, item.Index);
        json.WritePropertyName("item"u8);
        item.Write(json, reason: null);
        End();
        if (item.Kind != ItemKind.Call)
        {
            Part(item, "response.content_part.added");
        }

        return item;
    }

    private void Delta(AnswerItem item, ReadOnlySpan<byte> raw)
    {
        Take(raw.Length);
        item.Append(raw);
        var json = Start(item.Event + ".delta", item);
        json.WritePropertyName("delta"u8);
        json.WriteRawValue([.. "\""u8, .. raw, .. "\""u8], skipInputValidation: true);
        Logprobs(json, item);
        End();
    }

    /// <summary>Functions that are called together stay open together, for their arguments may take turns.</summary>
    private void Close()
    {
        foreach (var item in _open)
        {
            var json = Start(item.Event + ".done", item);
            json.WritePropertyName(item.Member);
            item.WriteText(json);
            Logprobs(json, item);
            End();
            if (item.Kind != ItemKind.Call)
            {
                Part(item, "response.content_part.done");
            }

            json = Start("response.output_item.done");
            json.WriteNumber("output_index"u8, item.Index);
            json.WritePropertyName("item"u8);
            item.Write(json, _reason ?? "");
            End();
        }

        _open.Clear();
    }

    private void Part(AnswerItem item, string type)
    {
        var json = Start(type, item);
        json.WritePropertyName("part"u8);
        item.WritePart(json);
        End();
    }

    private void Response(Utf8JsonWriter json, string? reason)
    {
        json.WriteStartObject("response"u8);
        ResponseWriter.Members(json, _id, created, _model, reason, reason is null ? null : Usage, reason is null ? null : writer =>
        {
            foreach (var item in _items)
            {
                item.Write(writer, reason);
            }
        });
        json.WriteEndObject();
    }

    private static void Logprobs(Utf8JsonWriter json, AnswerItem item)
    {
        if (item.Kind == ItemKind.Text)
        {
            json.WriteStartArray("logprobs"u8);
            json.WriteEndArray();
        }
    }

    private void Take(int bytes)
    {
        _bytes += bytes;
        if (_bytes > AnswerBoundBytes)
        {
            throw new UnreadableAnswerException("the answer is too large to be converted");
        }

        _share.Cover(_bytes, Forms);
    }

    private Utf8JsonWriter Start(string type, AnswerItem item)
    {
        var json = Start(type);
        json.WriteString("item_id"u8, item.Id);
        json.WriteNumber("output_index"u8, item.Index);
        if (item.Kind != ItemKind.Call)
        {
            json.WriteNumber("content_index"u8, 0);
        }

        return json;
    }

    private Utf8JsonWriter Start(string type)
    {
        var json = Begin(Encoding.ASCII.GetBytes(type));
        json.WriteString("type"u8, type);
        json.WriteNumber("sequence_number"u8, _number++);
        return json;
    }
}
