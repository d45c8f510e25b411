using TokenFactory.Inference.Dialects.Responses;
using TokenFactory.Inference.Dispatch;
using TokenFactory.Inference.Metering.Scanning;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Storage.Journal;
using TokenFactory.Tokenizer;

namespace TokenFactory.Inference.Metering;

/// <summary>Chooses how an answer is read: as events or as one body.</summary>
internal sealed class AnswerFactory(IJournal journal, MeteringOptions options, TimeProvider clock)
{
    // Whatever made the events bounds them already; ids of ours in the place of the backend's are a little longer.
    private const int ResponseHoldBytes = SignedStream.EventBoundBytes + (64 * 1024);

    public Answer For(Exchange exchange, UpstreamHead head, Delivery delivery)
    {
        CountTokens count = TokenEncoding.ForModel(exchange.Ask.Model).Count;
        return head.IsEventStream
            ? new StreamAnswer(exchange, head, delivery, new SseScanner(head.UsageWasInjected, count, HoldBytes(exchange.Dialect), exchange.Dialect), new Checkpoints(journal, options.CheckpointInterval, clock))
            : new WholeAnswer(exchange, head, delivery, count, options.HeldAnswerBytes);
    }

    private static int HoldBytes(Dialect dialect) => dialect == Dialect.Responses ? ResponseHoldBytes : SseScanner.DefaultHoldBytes;
}
