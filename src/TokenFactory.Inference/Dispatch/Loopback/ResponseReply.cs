using System.Text.Json;

namespace TokenFactory.Inference.Dispatch.Loopback;

/// <summary>A response, told whole or as its events: one item, a message or the call of a function, which is never both.</summary>
internal sealed record ResponseReply(Guid Id, long Created, Generation Asked, string? Previous, Echo? Said, string? Function, Usage Usage)
{
    private const string Arguments = "{}";

    private string ItemId => Function is null ? $"msg_{Id:N}" : $"fc_{Id:N}";

    private bool IsCut => Said?.FinishReason == "length";

    public ReadOnlyMemory<byte> Whole() => new EventWriter().Document(json => WriteResponse(json, isOver: true));

    public IEnumerable<ReadOnlyMemory<byte>> Events()
    {
        var (writer, number) = (new EventWriter(), 0);
        yield return Next("response.created", json => WriteResponse(json, "response", isOver: false));
        yield return Next("response.in_progress", json => WriteResponse(json, "response", isOver: false));
        yield return Next("response.output_item.added", json => OfItem(json, isOver: false));
        if (Said is { } said)
        {
            yield return Next("response.content_part.added", json => OfPart(json, ""));
            foreach (var piece in said.Pieces)
            {
                yield return Next("response.output_text.delta", json => OfText(json, "delta", piece));
            }

            yield return Next("response.output_text.done", json => OfText(json, "text", said.Text));
            yield return Next("response.content_part.done", json => OfPart(json, said.Text));
        }
        else
        {
            yield return Next("response.function_call_arguments.delta", json => OfArguments(json, "delta"));
            yield return Next("response.function_call_arguments.done", json => OfArguments(json, "arguments"));
        }

        yield return Next("response.output_item.done", json => OfItem(json, isOver: true));
        yield return Next(IsCut ? "response.incomplete" : "response.completed", json => WriteResponse(json, "response", isOver: true));

        ReadOnlyMemory<byte> Next(string type, Action<Utf8JsonWriter> write) => writer.Event(type, json =>
        {
            json.WriteString("type"u8, type);
            json.WriteNumber("sequence_number"u8, number++);
            write(json);
        });
    }

    private void OfItem(Utf8JsonWriter json, bool isOver)
    {
        json.WriteNumber("output_index"u8, 0);
        json.WritePropertyName("item"u8);
        WriteItem(json, isOver);
    }

    private void OfPart(Utf8JsonWriter json, string text)
    {
        Where(json, ofPart: true);
        json.WritePropertyName("part"u8);
        WritePart(json, text);
    }

    private void OfText(Utf8JsonWriter json, string name, string text)
    {
        Where(json, ofPart: true);
        json.WriteString(name, text);
        json.WriteStartArray("logprobs"u8);
        json.WriteEndArray();
    }

    private void OfArguments(Utf8JsonWriter json, string name)
    {
        Where(json, ofPart: false);
        json.WriteString(name, Arguments);
    }

    private void Where(Utf8JsonWriter json, bool ofPart)
    {
        json.WriteString("item_id"u8, ItemId);
        json.WriteNumber("output_index"u8, 0);
        if (ofPart)
        {
            json.WriteNumber("content_index"u8, 0);
        }
    }

    private void WriteResponse(Utf8JsonWriter json, string name, bool isOver)
    {
        json.WriteStartObject(name);
        WriteResponse(json, isOver);
        json.WriteEndObject();
    }

    private void WriteResponse(Utf8JsonWriter json, bool isOver)
    {
        json.WriteString("id"u8, $"resp_{Id:N}");
        json.WriteString("object"u8, "response"u8);
        json.WriteNumber("created_at"u8, Created);
        json.WriteString("status"u8, !isOver ? "in_progress" : IsCut ? "incomplete" : "completed");
        json.WriteNull("error"u8);
        json.WritePropertyName("incomplete_details"u8);
        if (isOver && IsCut)
        {
            json.WriteStartObject();
            json.WriteString("reason"u8, "max_output_tokens"u8);
            json.WriteEndObject();
        }
        else
        {
            json.WriteNullValue();
        }

        json.WriteNull("instructions"u8);
        json.WriteString("model"u8, Asked.Model);
        json.WriteStartArray("output"u8);
        if (isOver)
        {
            WriteItem(json, isOver);
        }

        json.WriteEndArray();
        json.WriteBoolean("parallel_tool_calls"u8, true);
        json.WriteString("previous_response_id"u8, Previous);
        json.WriteString("tool_choice"u8, "auto"u8);
        json.WriteStartArray("tools"u8);
        json.WriteEndArray();
        json.WriteStartObject("metadata"u8);
        json.WriteEndObject();
        json.WritePropertyName("usage"u8);
        if (isOver)
        {
            WriteUsage(json);
        }
        else
        {
            json.WriteNullValue();
        }
    }

    private void WriteItem(Utf8JsonWriter json, bool isOver)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, ItemId);
        json.WriteString("type"u8, Function is null ? "message" : "function_call");
        json.WriteString("status"u8, !isOver ? "in_progress" : IsCut ? "incomplete" : "completed");
        if (Function is not null)
        {
            json.WriteString("call_id"u8, $"call_{Id:N}");
            json.WriteString("name"u8, Function);
            json.WriteString("arguments"u8, isOver ? Arguments : "");
        }
        else
        {
            json.WriteString("role"u8, "assistant"u8);
            json.WriteStartArray("content"u8);
            if (isOver)
            {
                WritePart(json, Said!.Text);
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private static void WritePart(Utf8JsonWriter json, string text)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, "output_text"u8);
        json.WriteString("text"u8, text);
        json.WriteStartArray("annotations"u8);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void WriteUsage(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteNumber("input_tokens"u8, Usage.Prompt);
        json.WriteStartObject("input_tokens_details"u8);
        json.WriteNumber("cached_tokens"u8, 0);
        json.WriteEndObject();
        json.WriteNumber("output_tokens"u8, Usage.Completion);
        json.WriteStartObject("output_tokens_details"u8);
        json.WriteNumber("reasoning_tokens"u8, 0);
        json.WriteEndObject();
        json.WriteNumber("total_tokens"u8, Usage.Prompt + Usage.Completion);
        json.WriteEndObject();
    }
}
