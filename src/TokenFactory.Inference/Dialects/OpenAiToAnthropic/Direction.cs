using System.Text.Json;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference.Dialects.OpenAiToAnthropic;

/// <summary>A client of OpenAI's chat completions in front of a backend that speaks Anthropic's Messages.</summary>
internal sealed class Direction : Conversion
{
    public override AnswerConverter Answer(bool isEventStream, TimeProvider clock, BodyBudget budget)
    {
        var created = clock.GetUtcNow().ToUnixTimeSeconds();
        return isEventStream ? new EventsToChunks(created, budget) : new MessageToChat(created, budget);
    }

    protected override void WriteRequest(JsonElement root, Utf8JsonWriter json, Deployment deployment, string upstreamModel) =>
        new ChatToMessages(root, json).Write(deployment, upstreamModel);
}
