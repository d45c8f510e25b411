namespace TokenFactory.Inference.Limits.Local;

/// <summary>All buckets and open reservations of one tenant under one lock: that is what makes a take all or nothing.</summary>
internal sealed class TenantPartition(TimeProvider clock, long origin, LocalLimiterBounds bounds)
{
    private const long EvictAtMostEvery = 1000;

    private readonly Lock _gate = new();
    private readonly MonthlyClock _clock = new(clock, origin);
    private readonly Dictionary<BucketKey, Cell> _cells = [];
    private readonly Dictionary<Guid, OpenReservation> _open = [];
    private Cell[] _asked = new Cell[8];
    private long _firstDeadline = long.MaxValue;
    private long _evictAfter;
    private bool _closed;

    public int Buckets => _cells.Count;

    public int Open => _open.Count;

    /// <summary>False when the partition was closed meanwhile: the caller takes the tenant's next one.</summary>
    public bool TryTake(Demand demand, out Taking taking)
    {
        lock (_gate)
        {
            taking = default;
            if (_closed)
            {
                return false;
            }

            var now = _clock.Read();
            Expire(now);
            taking = _open.TryGetValue(demand.ReservationId, out var open)
                ? new Taking(open.Reservation, null, open.Levels)
                : Take(demand, now);
            return true;
        }
    }

    /// <summary>The open reservations are the memory of what was settled: an id that is not among them was, or never taken.</summary>
    public void Settle(Guid id, in Actual actual)
    {
        lock (_gate)
        {
            if (!_open.Remove(id, out var open))
            {
                return;
            }

            var now = _clock.Read();
            var demand = open.Reservation.Demand;
            for (var i = 0; i < demand.Buckets.Count; i++)
            {
                var bucket = demand.Buckets[i];
                var held = Amounts.Held(demand, bucket);
                var used = Amounts.Used(actual, bucket.Dimension);

                // A rate whose hold was right has nothing to correct: no look-up for the request counts of most settlements.
                if (held != used || bucket.Dimension is Dimension.TokensPerMonth or Dimension.NanoUsdPerMonth)
                {
                    CellOf(bucket, now).Settle(held, used, open.TakenInMonth, now);
                }
            }
        }
    }

    /// <summary>False when the partition was closed meanwhile.</summary>
    public bool TryLoad(in Bucket bucket, long spent)
    {
        lock (_gate)
        {
            if (!_closed)
            {
                var now = _clock.Read();
                var budget = (BudgetCell)CellOf(bucket, now);
                budget.Advance(bucket.Limit, now);
                budget.Load(spent);
            }

            return !_closed;
        }
    }

    /// <summary>Forgets what a new cell would know as well; true when nothing is left and the partition is closed for good.</summary>
    public bool Sweep()
    {
        lock (_gate)
        {
            var now = _clock.Read();
            Expire(now);
            EvictIdle(now);
            return _closed = _cells.Count == 0 && _open.Count == 0;
        }
    }

    private Taking Take(Demand demand, in Moment now)
    {
        // 1. Everything that can fail, before anything is taken.
        MakeRoom(demand.Buckets.Count, now);
        for (var i = 0; i < demand.Buckets.Count; i++)
        {
            var bucket = demand.Buckets[i];
            _asked[i] = CellWithinBounds(bucket, now);
            _asked[i].Advance(bucket.Limit, now);
        }

        // 2. Take from all, or from none.
        var refusal = TryAll(demand);

        // 3. What is left, for the caller's headers, whichever way it went.
        var levels = new Level[demand.Buckets.Count];
        for (var i = 0; i < levels.Length; i++)
        {
            levels[i] = _asked[i].LevelOf(demand.Buckets[i], now);
        }

        return refusal is null ? new Taking(Keep(demand, levels, now), null, levels) : new Taking(null, refusal, levels);
    }

    /// <summary>Asks every bucket even after a refusal, because the caller is told the longest wait; then undoes the others.</summary>
    private Refusal? TryAll(Demand demand)
    {
        Refusal? refusal = null;
        Span<bool> taken = stackalloc bool[_asked.Length];
        for (var i = 0; i < demand.Buckets.Count; i++)
        {
            var bucket = demand.Buckets[i];
            taken[i] = _asked[i].TryTake(Amounts.Held(demand, bucket), out var wait);
            if (!taken[i] && (refusal is null || (refusal.RetryAfter is { } longest && (wait is null || wait > longest))))
            {
                refusal = new Refusal(bucket, wait);
            }
        }

        for (var i = 0; refusal is not null && i < demand.Buckets.Count; i++)
        {
            if (taken[i])
            {
                _asked[i].Undo(Amounts.Held(demand, demand.Buckets[i]));
            }
        }

        return refusal;
    }

    private Reservation Keep(Demand demand, Level[] levels, in Moment now)
    {
        var reservation = new Reservation(demand.ReservationId, demand.Tenant, demand);
        var deadline = now.Milliseconds + (long)demand.Lease.TotalMilliseconds;
        _open.Add(demand.ReservationId, new OpenReservation(reservation, levels, now.Month, deadline));
        _firstDeadline = Math.Min(_firstDeadline, deadline);
        return reservation;
    }

    /// <summary>Walks the open reservations only when the first deadline may have passed: about once per lease, not per take.</summary>
    private void Expire(in Moment now)
    {
        if (now.Milliseconds < _firstDeadline)
        {
            return;
        }

        _firstDeadline = long.MaxValue;
        foreach (var (id, open) in _open)
        {
            if (open.Deadline > now.Milliseconds)
            {
                _firstDeadline = Math.Min(_firstDeadline, open.Deadline);
                continue;
            }

            _open.Remove(id);
            var demand = open.Reservation.Demand;
            for (var i = 0; i < demand.Buckets.Count; i++)
            {
                var bucket = demand.Buckets[i];
                CellOf(bucket, now).Expire(Amounts.Held(demand, bucket), open.TakenInMonth, now);
            }
        }
    }

    private void MakeRoom(int asked, in Moment now)
    {
        if (_asked.Length < asked)
        {
            _asked = new Cell[asked];
        }

        if (_open.Count >= bounds.OpenPerTenant)
        {
            throw new LimiterUnavailableException("The tenant has too many reservations open.");
        }

        if (_cells.Count + asked > bounds.BucketsPerTenant && now.Milliseconds >= _evictAfter)
        {
            _evictAfter = now.Milliseconds + EvictAtMostEvery;
            EvictIdle(now);
        }
    }

    private void EvictIdle(in Moment now)
    {
        foreach (var (key, cell) in _cells)
        {
            if (cell.IsIdle(now))
            {
                _cells.Remove(key);
            }
        }
    }

    private Cell CellWithinBounds(in Bucket bucket, in Moment now) =>
        _cells.Count < bounds.BucketsPerTenant || _cells.ContainsKey(BucketKey.Of(bucket))
            ? CellOf(bucket, now)
            : throw new LimiterUnavailableException("The tenant has too many buckets in use.");

    private Cell CellOf(in Bucket bucket, in Moment now)
    {
        var key = BucketKey.Of(bucket);
        if (!_cells.TryGetValue(key, out var cell))
        {
            _cells.Add(key, cell = Cell.For(bucket, now));
        }

        return cell;
    }
}
