using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Inference.Metering;

/// <summary>Notes a running stream's usage every few seconds, so that an orphan is settled from what it had delivered. One per stream.</summary>
internal sealed class Checkpoints(IJournal journal, TimeSpan interval, TimeProvider clock)
{
    private long _last = clock.GetTimestamp();

    public void Look(Exchange exchange, Answer answer)
    {
        if (clock.GetElapsedTime(_last) < interval || exchange.Placement is not { } placement)
        {
            return;
        }

        _last = clock.GetTimestamp();
        var checkpoint = answer.Usage is { } reported
            ? new Checkpoint(exchange.RequestId, placement, Evidence.Reported, reported.ToDisjoint())
            : answer.InputUsage is { } input
            ? new Checkpoint(exchange.RequestId, placement, Evidence.Counted, input.ToDisjoint() with { Output = answer.CountOutput(), Reasoning = 0 })
            : new Checkpoint(exchange.RequestId, placement, Evidence.Estimated, new TokenUsage(exchange.Ask.InputEstimate + (exchange.Ask.Conversation?.Tokens ?? 0), 0, 0, answer.CountOutput(), 0));
        exchange.Running.NoteStream(() => journal.Note(checkpoint));
    }
}
