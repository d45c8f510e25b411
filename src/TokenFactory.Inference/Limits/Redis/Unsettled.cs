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
    public bool Keep(ReservationEnd end)
    {
        if (_kept.Count >= most)
        {
            return false;
        }

        _kept.TryAdd(end.Reservation.Id, new Entry(end, clock.GetTimestamp()));
        return true;
    }

    public void Done(Guid id) => _kept.TryRemove(id, out _);

    /// <summary>What is worth another try, at most a batch of it.</summary>
    public IReadOnlyList<ReservationEnd> Next(int batch)
    {
        var next = new List<ReservationEnd>();
        foreach (var (id, entry) in _kept)
        {
            if (clock.GetElapsedTime(entry.Since) >= entry.End.Life)
            {
                _kept.TryRemove(id, out _);
                continue;
            }

            next.Add(entry.End);
            if (next.Count == batch)
            {
                break;
            }
        }

        return next;
    }

    private sealed record Entry(ReservationEnd End, long Since);
}
