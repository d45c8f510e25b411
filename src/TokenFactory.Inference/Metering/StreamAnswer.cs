using TokenFactory.Inference.Dialects;
using TokenFactory.Inference.Dispatch;
using TokenFactory.Inference.Metering.Scanning;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Inference.Metering;

/// <summary>An answer of server-sent events: each event goes on as soon as it is whole, the terminator waits for the settlement.</summary>
internal sealed class StreamAnswer(Exchange exchange, UpstreamHead head, Delivery delivery, SseScanner scanner, Checkpoints checkpoints) : Answer
{
    public override ReportedUsage? Usage => head.Converter is { IsClientsDialect: false } converter ? converter.Usage : scanner.Usage;

    public override ReportedUsage? InputUsage => head.Converter is { IsClientsDialect: false } converter ? converter.InputUsage : scanner.InputUsage;

    public override (string? FinishReason, string? Model, string? Fingerprint) Said => (scanner.FinishReason, scanner.Model, scanner.Fingerprint);

    public override bool SawContent => scanner.SawContent;

    public override bool IsInsideEvent => scanner.IsInsideEvent;

    public override long NextSequenceNumber => scanner.NextSequenceNumber;

    public override async ValueTask TakeAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel)
    {
        scanner.Feed(bytes);
        await delivery.SendAsync(scanner.Passing, head, cancel);
        if (scanner.Error is { } error)
        {
            throw new BackendFaultException(InBandError.ToFailure(error.Without(head.Credential), exchange.Ask) with { Reported = Usage });
        }

        exchange.AnswerIsWhole = scanner is { SawDone: true, SawFinishReason: true };
        if (!exchange.AnswerIsWhole)
        {
            checkpoints.Look(exchange, this);
        }
    }

    /// <summary>A stream without its terminator, or that never said why it finished, was cut: never is a terminator invented for it.</summary>
    public override Failure? Conclude()
    {
        scanner.Complete();
        exchange.AnswerIsWhole = scanner is { SawDone: true, SawFinishReason: true, Error: null };
        return exchange.AnswerIsWhole ? null : new Failure(Outcome.BackendCut, GatewayError.BackendCut, TookPrompt: true);
    }

    public override ValueTask ReleaseAsync() => delivery.FinishAsync(scanner.HeldBack, head, length: null);

    public override long CountOutput() => scanner.CountDelivered();

    public override void Dispose() => scanner.Dispose();
}
