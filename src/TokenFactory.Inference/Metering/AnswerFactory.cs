using TokenFactory.Inference.Dispatch;
using TokenFactory.Inference.Metering.Scanning;
using TokenFactory.Storage.Journal;
using TokenFactory.Tokenizer;

namespace TokenFactory.Inference.Metering;

/// <summary>Chooses how an answer is read: as events or as one body.</summary>
internal sealed class AnswerFactory(IJournal journal, MeteringOptions options, TimeProvider clock)
{
    public Answer For(Exchange exchange, UpstreamHead head, Delivery delivery)
    {
        CountTokens count = TokenEncoding.ForModel(exchange.Ask.Model).Count;
        return head.IsEventStream
            ? new StreamAnswer(exchange, head, delivery, new SseScanner(head.UsageWasInjected, count, dialect: exchange.Dialect), new Checkpoints(journal, options.CheckpointInterval, clock))
            : new WholeAnswer(exchange, head, delivery, count, options.HeldAnswerBytes);
    }
}
