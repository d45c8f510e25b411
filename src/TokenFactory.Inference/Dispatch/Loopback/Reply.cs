using System.Text.Json;
using TokenFactory.Inference.Dispatch.Loopback.Choices;

namespace TokenFactory.Inference.Dispatch.Loopback;

/// <summary>A generated answer, told whole or as a stream. Choices take turns, one step each, as they do upstream.</summary>
/// <param name="Object">For example <c>chat.completion</c>.</param>
/// <param name="ChunkObject">What <paramref name="Object"/> is called in a stream.</param>
internal sealed record Reply(
    string Id, long Created, string Object, string ChunkObject, Generation Asked, IReadOnlyList<IChoice> Choices, Usage Usage)
{
    public ReadOnlyMemory<byte> Whole() => new EventWriter().Document(json =>
    {
        WriteHead(json, Object);
        json.WriteStartArray("choices"u8);
        for (var i = 0; i < Choices.Count; i++)
        {
            json.WriteStartObject();
            json.WriteNumber("index"u8, i);
            Choices[i].Write(json);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        Usage.Write(json);
    });

    public IEnumerable<ReadOnlyMemory<byte>> Events()
    {
        var writer = new EventWriter();
        foreach (var (index, step) in InTurns())
        {
            yield return writer.Event(json => WriteChunk(json, index, step));
        }

        if (Asked.IncludeUsage)
        {
            yield return writer.Event(json =>
            {
                WriteHead(json, ChunkObject);
                json.WriteStartArray("choices"u8);
                json.WriteEndArray();
                Usage.Write(json);
            });
        }

        yield return EventWriter.Done;
    }

    private IEnumerable<(int Index, Action<Utf8JsonWriter> Step)> InTurns()
    {
        var turns = Choices.Select((choice, index) => (index, steps: choice.Steps().GetEnumerator())).ToList();
        while (turns.Count > 0)
        {
            turns.RemoveAll(turn => !turn.steps.MoveNext());
            foreach (var (index, steps) in turns)
            {
                yield return (index, steps.Current);
            }
        }
    }

    private void WriteChunk(Utf8JsonWriter json, int index, Action<Utf8JsonWriter> step)
    {
        WriteHead(json, ChunkObject);
        json.WriteStartArray("choices"u8);
        json.WriteStartObject();
        json.WriteNumber("index"u8, index);
        step(json);
        json.WriteEndObject();
        json.WriteEndArray();
        if (Asked.IncludeUsage)
        {
            json.WriteNull("usage"u8);
        }
    }

    private void WriteHead(Utf8JsonWriter json, string kind)
    {
        json.WriteString("id"u8, Id);
        json.WriteString("object"u8, kind);
        json.WriteNumber("created"u8, Created);
        json.WriteString("model"u8, Asked.Model);
        json.WriteString("system_fingerprint"u8, "fp_loopback"u8);
    }
}
