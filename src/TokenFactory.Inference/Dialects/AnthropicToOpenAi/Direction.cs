using System.Text.Json;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference.Dialects.AnthropicToOpenAi;

/// <summary>A client of Anthropic's Messages in front of a backend that speaks OpenAI's chat completions.</summary>
internal sealed class Direction : Conversion
{
    public override AnswerConverter Answer(bool isEventStream, TimeProvider clock, BodyBudget budget) => isEventStream ? new ChunksToEvents(budget) : new ChatToMessage(budget);

    protected override void WriteRequest(JsonElement root, Utf8JsonWriter json, Deployment deployment, string upstreamModel) =>
        new MessagesToChat(root, json).Write(deployment, upstreamModel);
}
