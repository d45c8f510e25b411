using TokenFactory.Storage.Outbox;
using TokenFactory.Storage.Relay;

namespace TokenFactory.Storage.Tests.Relay;

/// <summary>Remembers what it acknowledged; refuses or fails as the test says.</summary>
internal sealed class RecordingSink(int maxBatch = 100) : ISink
{
    private readonly List<OutboxMessage> _taken = [];

    public string Name => "recording";

    public int MaxBatch => maxBatch;

    public Func<OutboxMessage, bool> Poison { get; set; } = _ => false;

    public int FailuresLeft { get; set; }

    public int Calls { get; private set; }

    public IReadOnlyList<OutboxMessage> Taken
    {
        get
        {
            lock (_taken)
            {
                return [.. _taken];
            }
        }
    }

    public Task DeliverAsync(IReadOnlyList<OutboxMessage> batch, CancellationToken cancel)
    {
        Calls++;
        if (FailuresLeft > 0)
        {
            FailuresLeft--;
            throw new HttpRequestException("the sink is down");
        }

        if (batch.Any(Poison))
        {
            throw new SinkRejectedException("422 this cannot be read");
        }

        lock (_taken)
        {
            _taken.AddRange(batch);
        }

        return Task.CompletedTask;
    }
}
