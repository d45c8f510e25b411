using System.Buffers;
using System.Text.Json;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference.Dialects;

/// <summary>
/// One direction between a client and a backend that speak another dialect each: the request goes over as the backend's, the answer comes
/// back as the client's, as though the backend had spoken it all along. docs/api/protocol.md says what becomes of each member.
/// </summary>
internal abstract class Conversion
{
    private static readonly OpenAiToAnthropic.Direction _openAiToAnthropic = new();
    private static readonly AnthropicToOpenAi.Direction _anthropicToOpenAi = new();
    private static readonly ResponsesToOpenAi.Direction _responsesToOpenAi = new();
    private static readonly Chained _responsesToAnthropic = new(_responsesToOpenAi, _openAiToAnthropic);

    /// <summary>Null where both speak the same: then no byte is touched.</summary>
    public static Conversion? Between(Dialect client, Dialect backend) => (client, backend) switch
    {
        (Dialect.OpenAi, Dialect.Anthropic) => _openAiToAnthropic,
        (Dialect.Anthropic, Dialect.OpenAi) => _anthropicToOpenAi,
        (Dialect.Responses, Dialect.OpenAi) => _responsesToOpenAi,
        (Dialect.Responses, Dialect.Anthropic) => _responsesToAnthropic,
        _ => null,
    };

    /// <param name="body">A JSON object that Intake has read.</param>
    /// <param name="upstreamModel">What the backend calls the model.</param>
    /// <exception cref="InexpressibleException">The backend's dialect has no words for it.</exception>
    public virtual ReadOnlyMemory<byte> Request(ReadOnlyMemory<byte> body, Deployment deployment, string upstreamModel)
    {
        using var document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 1000 });
        var buffer = new ArrayBufferWriter<byte>(body.Length + 512);
        using (var json = new Utf8JsonWriter(buffer, Json.Written))
        {
            WriteRequest(document.RootElement, json, deployment, upstreamModel);
        }

        return buffer.WrittenMemory;
    }

    /// <param name="isEventStream">What the backend answers with.</param>
    /// <param name="budget">What it must hold takes from it.</param>
    public abstract AnswerConverter Answer(bool isEventStream, TimeProvider clock, BodyBudget budget);

    protected abstract void WriteRequest(JsonElement root, Utf8JsonWriter json, Deployment deployment, string upstreamModel);
}
