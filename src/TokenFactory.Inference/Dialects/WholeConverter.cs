using System.Buffers;
using System.Text.Json;
using TokenFactory.Inference.Dialects.Events;

namespace TokenFactory.Inference.Dialects;

/// <summary>Converts an answer of one JSON body, once it is whole.</summary>
internal abstract class WholeConverter(BodyBudget budget) : AnswerConverter
{
    // No model's words are as long; an embedding's numbers would be, and they have one dialect only.
    private const int BodyBoundBytes = 32 * 1024 * 1024;

    // As a tree it takes four times its size, unless it is nothing but brackets and digits.
    private readonly HeldBytes _body = new(budget, BodyBoundBytes, forms: 7);
    private ReportedUsage? _usage;

    public override ReportedUsage? Usage => _usage is { IsAllZero: true } ? null : _usage;

    public override ReadOnlyMemory<byte> Feed(ReadOnlySpan<byte> bytes)
    {
        _body.Append(bytes);
        return default;
    }

    public override ReadOnlyMemory<byte> Complete()
    {
        try
        {
            using var document = JsonDocument.Parse(_body.Memory);
            var root = document.RootElement;
            if (root.Get("error"u8) is not null || root.Says("type"u8, "error"u8))
            {
                return _body.Memory;
            }

            var buffer = new ArrayBufferWriter<byte>(_body.Count + 512);
            using (var json = new Utf8JsonWriter(buffer, Json.Written))
            {
                Write(root, json);
                _usage = UsageOf(root);
            }

            return buffer.WrittenMemory;
        }
        catch (Exception unreadable) when (unreadable is JsonException or InvalidOperationException)
        {
            // Half of a surrogate pair, too, is an InvalidOperationException of the reader.
            throw new UnreadableAnswerException("the answer is not the JSON of its dialect");
        }
    }

    public override void Dispose() => _body.Dispose();

    /// <summary>Writes the answer in the client's dialect.</summary>
    protected abstract void Write(JsonElement root, Utf8JsonWriter json);

    protected abstract ReportedUsage? UsageOf(JsonElement root);
}
