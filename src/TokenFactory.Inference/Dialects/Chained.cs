using System.Text.Json;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference.Dialects;

/// <summary>Two directions after one another, by way of the dialect between them: what either cannot say is refused, what either leaves out is left out.</summary>
internal sealed class Chained(Conversion near, Conversion far) : Conversion
{
    public override ReadOnlyMemory<byte> Request(ReadOnlyMemory<byte> body, Deployment deployment, string upstreamModel) =>
        far.Request(near.Request(body, deployment, upstreamModel), deployment, upstreamModel);

    public override AnswerConverter Answer(bool isEventStream, TimeProvider clock, BodyBudget budget) =>
        new ChainedAnswer(far.Answer(isEventStream, clock, budget), near.Answer(isEventStream, clock, budget));

    protected override void WriteRequest(JsonElement root, Utf8JsonWriter json, Deployment deployment, string upstreamModel) =>
        throw new InvalidOperationException("both directions write a request of their own");

    private sealed class ChainedAnswer(AnswerConverter first, AnswerConverter second) : AnswerConverter
    {
        // Who reads the backend's own words knows best what it reported, and knows it first.
        public override ReportedUsage? Usage => first.Usage;

        public override ReportedUsage? InputUsage => first.InputUsage;

        public override ReadOnlyMemory<byte> Feed(ReadOnlySpan<byte> bytes) => second.Feed(first.Feed(bytes).Span);

        public override ReadOnlyMemory<byte> Complete()
        {
            var last = second.Feed(first.Complete().Span);
            if (last.IsEmpty)
            {
                return second.Complete();
            }

            // A converter's bytes are valid until its next call.
            byte[] kept = [.. last.Span];
            return (byte[])[.. kept, .. second.Complete().Span];
        }

        public override void Dispose()
        {
            first.Dispose();
            second.Dispose();
        }
    }
}
