using TokenFactory.Storage.Outbox;

namespace TokenFactory.Storage.Tests.Relay;

/// <summary>An outbox in memory for one sink: what a relay does with a sink can be watched without a store.</summary>
internal sealed class ListOutbox : IOutbox
{
    private readonly List<OutboxMessage> _messages = [];
    private readonly List<(OutboxMessage Message, string Error)> _parked = [];
    private readonly OutboxSignal _signal = new();
    private int _cursor;

    /// <summary>Called with how many are acknowledged, before the cursor moves there.</summary>
    public Func<int, Task> Acknowledging { get; set; } = _ => Task.CompletedTask;

    public Task NextCommit => _signal.Next;

    public IReadOnlyList<OutboxMessage> Messages => Locked(() => _messages.ToArray());

    public int Cursor => Locked(() => _cursor);

    public IReadOnlyList<(OutboxMessage Message, string Error)> Parked => Locked(() => _parked.ToArray());

    public void Add(IEnumerable<OutboxMessage> messages)
    {
        Locked(() =>
        {
            _messages.AddRange(messages.Select((message, index) => message with { Seq = _messages.Count + index + 1 }).ToArray());
            return true;
        });
        _signal.Raise();
    }

    public Task<OutboxBatch> ReadAsync(string sink, int limit, CancellationToken cancel) =>
        Task.FromResult(Locked(() => new OutboxBatch([.. _messages.Skip(_cursor).Take(limit)], _messages.Count - _cursor, _messages.Skip(_cursor).FirstOrDefault()?.CreatedAt, _parked.Count)));

    public async Task AdvanceAsync(string sink, OutboxMessage last)
    {
        await Acknowledging((int)last.Seq);
        Locked(() => _cursor = (int)last.Seq);
    }

    public Task ParkAsync(string sink, OutboxMessage message, int attempts, string error)
    {
        Locked(() =>
        {
            _parked.Add((message, error));
            return _cursor = (int)message.Seq;
        });
        return Task.CompletedTask;
    }

    public Task<IReadOnlyList<OutboxMessage>> ReadReplaysAsync(string sink, int limit, CancellationToken cancel) => Task.FromResult<IReadOnlyList<OutboxMessage>>([]);

    public Task EndReplayAsync(string sink, Guid eventId, string? error) => throw new InvalidOperationException("This outbox has no replays.");

    public Task<int> TrimAsync(IReadOnlyCollection<string> sinks) => Task.FromResult(0);

    private T Locked<T>(Func<T> what)
    {
        lock (_messages)
        {
            return what();
        }
    }
}
