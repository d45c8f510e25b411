using TokenFactory.Storage.Outbox;
using TokenFactory.Storage.Relay;
using Xunit;

namespace TokenFactory.Storage.Tests.Relay;

/// <summary>A consumer of usage need not know what else there is: what it did not ask for neither reaches nor stops it.</summary>
public sealed class SelectedSinkTests
{
    [Fact]
    public async Task What_was_not_asked_for_is_passed_by()
    {
        var inner = new Recorder();
        using var sink = new SelectedSink(inner, [EventTypes.Usage]);

        await sink.DeliverAsync([Event(1, EventTypes.Audit), Event(2, EventTypes.Usage), Event(3, EventTypes.Request)], CancellationToken.None);
        await sink.DeliverAsync([Event(4, EventTypes.Audit)], CancellationToken.None);

        Assert.Equal([2L], inner.Taken);
        Assert.Equal((inner.Name, inner.MaxBatch), (sink.Name, sink.MaxBatch));
    }

    private static OutboxMessage Event(long seq, string type) => new(seq, Guid.Empty, type, default, default);

    private sealed class Recorder : ISink
    {
        public List<long> Taken { get; } = [];

        public string Name => "recorder";

        public int MaxBatch => 7;

        public Task DeliverAsync(IReadOnlyList<OutboxMessage> batch, CancellationToken cancel)
        {
            Taken.AddRange(batch.Select(message => message.Seq));
            return Task.CompletedTask;
        }
    }
}
