using System.Text.Json;
using TokenFactory.Inference.Dialects;

namespace TokenFactory.Inference.Infer;

/// <summary>Writes the chunks of a chat completion as <c>delta</c> events. The stream's end is not among them: it is written once all is known.</summary>
internal sealed class InferEvents(BodyBudget budget) : StreamConverter(budget)
{
    /// <summary>Why the model stopped, in OpenAI's words.</summary>
    public string? FinishReason { get; private set; }

    /// <summary>The terminator came, so the answer is whole and settled.</summary>
    public bool IsDone { get; private set; }

    protected override void Words(ReadOnlySpan<byte> data) => IsDone |= data.StartsWith("[DONE]"u8);

    protected override void Comment(ReadOnlySpan<byte> text) => Say(text);

    protected override void Event(JsonElement data)
    {
        if (data.Get("choices"u8) is not { ValueKind: JsonValueKind.Array } choices)
        {
            return;
        }

        foreach (var choice in choices.EnumerateArray())
        {
            FinishReason = choice.Text("finish_reason"u8) ?? FinishReason;
            if (choice.Get("delta"u8)?.Get("content"u8) is { ValueKind: JsonValueKind.String } text && !text.IsEmptyText)
            {
                Begin("delta"u8).Copy("text"u8, text);
                End();
            }
        }
    }
}
