using System.Text.Json;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference.Dialects.ResponsesToOpenAi;

/// <summary>A client of OpenAI's Responses in front of a backend that speaks chat completions. Nothing is kept, so every request must say all of its conversation.</summary>
internal sealed class Direction : Conversion
{
    public override AnswerConverter Answer(bool isEventStream, TimeProvider clock, BodyBudget budget)
    {
        var created = clock.GetUtcNow().ToUnixTimeSeconds();
        return isEventStream ? new ChunksToResponse(created, budget) : new ChatToResponse(created, budget);
    }

    protected override void WriteRequest(JsonElement root, Utf8JsonWriter json, Deployment deployment, string upstreamModel) =>
        new ResponsesToChat(root, json).Write(deployment, upstreamModel);
}
