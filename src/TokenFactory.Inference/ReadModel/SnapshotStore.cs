namespace TokenFactory.Inference.ReadModel;

/// <summary>
/// Holds the snapshot in force and when its source last confirmed it. Versions never go backwards, and past its bound a
/// snapshot is stale: protected calls are then refused with 503, because nobody can say what was revoked since (P4).
/// </summary>
public sealed class SnapshotStore(TimeProvider clock, TimeSpan maxStaleness)
{
    private State? _state;

    /// <summary>Null until the source has answered once.</summary>
    public Snapshot? Current => Volatile.Read(ref _state)?.Snapshot;

    public TimeSpan MaxStaleness { get; } = maxStaleness;

    /// <summary>How long ago the source last confirmed the snapshot; null when it never did.</summary>
    public TimeSpan? Age => Volatile.Read(ref _state) is { } state ? clock.GetElapsedTime(state.ConfirmedAt) : null;

    public bool IsFresh => Age is { } age && age <= MaxStaleness;

    /// <summary>Raised after a swap, on the publisher's thread.</summary>
    public event Action<Snapshot>? Changed;

    /// <summary>Swaps the snapshot, confirmed now; an older version is refused and answers false.</summary>
    public bool Publish(Snapshot snapshot) => Publish(snapshot, clock.GetTimestamp());

    /// <param name="asOf">The clock's timestamp of the question that it answers.</param>
    public bool Publish(Snapshot snapshot, long asOf)
    {
        while (true)
        {
            var before = Volatile.Read(ref _state);
            if (before is not null && snapshot.Version < before.Snapshot.Version)
            {
                return false;
            }

            var after = new State(snapshot, asOf);
            if (Interlocked.CompareExchange(ref _state, after, before) == before)
            {
                Changed?.Invoke(snapshot);
                return true;
            }
        }
    }

    /// <summary>The source says that nothing changed.</summary>
    public void Confirm() => Confirm(clock.GetTimestamp());

    /// <param name="asOf">The clock's timestamp of the question: an answer is as old as what it answers.</param>
    public void Confirm(long asOf)
    {
        if (Volatile.Read(ref _state) is { } state)
        {
            Interlocked.CompareExchange(ref _state, state with { ConfirmedAt = Math.Max(asOf, state.ConfirmedAt) }, state);
        }
    }

    private sealed record State(Snapshot Snapshot, long ConfirmedAt);
}
