using System.Collections.Concurrent;

namespace TokenFactory.Inference.Limits.Redis;

/// <summary>
/// Settlements that could not reach Redis, to be tried again until their reservation has expired by itself. Bounded: past
/// the bound a settlement is left to that expiry, so too much stays held for a while, and the month's budget is charged
/// at the hold.
/// </summary>
internal sealed class Unsettled(TimeProvider clock, int most)
{
    private readonly ConcurrentDictionary<Guid, Entry> _kept = new();

    public int Count => _kept.Count;

    /// <summary>What may still be settled in Redis must not be taken anew: the old settlement would end the new reservation.</summary>
    public bool Holds(Guid id) => !_kept.IsEmpty && _kept.ContainsKey(id);

    /// <returns>False when there is no room.</returns>
    public bool Keep(Settlement settlement)
    {
        if (_kept.Count >= most)
        {
            return false;
        }

        _kept.TryAdd(settlement.Reservation.Id, new Entry(settlement, clock.GetTimestamp()));
        return true;
    }

    public void Done(Guid id) => _kept.TryRemove(id, out _);

    /// <summary>What is worth another try, at most a batch of it.</summary>
    public IReadOnlyList<Settlement> Next(int batch)
    {
        var next = new List<Settlement>();
        foreach (var (id, entry) in _kept)
        {
            if (clock.GetElapsedTime(entry.Since) >= entry.Settlement.Life)
            {
                _kept.TryRemove(id, out _);
                continue;
            }

            next.Add(entry.Settlement);
            if (next.Count == batch)
            {
                break;
            }
        }

        return next;
    }

    private sealed record Entry(Settlement Settlement, long Since);
}
