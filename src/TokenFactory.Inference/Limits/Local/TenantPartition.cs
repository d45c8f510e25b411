namespace TokenFactory.Inference.Limits.Local;

/// <summary>All buckets and open reservations of one tenant under one lock: that is what makes a take all or nothing.</summary>
internal sealed class TenantPartition(TimeProvider clock, long origin, LocalLimiterBounds bounds)
{
    private const long EvictAtMostEvery = 1000;
    private const int SpareLength = 12;
    private const int MostSpare = 256;

    private readonly Lock _gate = new();
    private readonly MonthlyClock _clock = new(clock, origin);
    private readonly Dictionary<BucketKey, Cell> _cells = [];
    private readonly Dictionary<Guid, OpenReservation> _open = [];
    private readonly Stack<Cell[]> _spare = new();
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
    public bool TrySettle(Guid id, in Actual actual)
    {
        lock (_gate)
        {
            if (!_open.Remove(id, out var open))
            {
                return false;
            }

            var now = _clock.Milliseconds;
            var demand = open.Reservation.Demand;
            var buckets = demand.BucketSpan;
            for (var i = 0; i < buckets.Length; i++)
            {
                var used = Amounts.Used(actual, buckets[i].Dimension);
                open.Cells[i].Settle(Amounts.Held(demand, buckets[i]), used, open.TakenInMonth, now);
                open.Cells[i].Unpin();
            }

            Return(open.Cells, buckets.Length);
            return true;
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
        var buckets = demand.BucketSpan;
        MakeRoom(buckets.Length, now);
        var cells = Rent(buckets.Length);
        for (var i = 0; i < buckets.Length; i++)
        {
            cells[i] = CellWithinBounds(buckets[i], now);
            cells[i].Advance(buckets[i].Limit, now);
        }

        // 2. Take from all, or from none.
        var refusal = TryAll(demand, cells);

        // 3. What is left, for the caller's headers, whichever way it went.
        var levels = new Level[buckets.Length];
        for (var i = 0; i < levels.Length; i++)
        {
            levels[i] = cells[i].LevelOf(buckets[i], now);
        }

        if (refusal is null)
        {
            return new Taking(Keep(demand, cells, levels, now), null, levels);
        }

        Return(cells, buckets.Length);
        return new Taking(null, refusal, levels);
    }

    /// <summary>Asks every bucket even after a refusal, because the caller is told the longest wait; then undoes the others.</summary>
    private static Refusal? TryAll(Demand demand, Cell[] cells)
    {
        Refusal? refusal = null;
        var buckets = demand.BucketSpan;
        Span<bool> taken = stackalloc bool[buckets.Length];
        for (var i = 0; i < buckets.Length; i++)
        {
            taken[i] = cells[i].TryTake(Amounts.Held(demand, buckets[i]), out var wait);
            if (!taken[i] && (refusal is null || (refusal.RetryAfter is { } longest && (wait is null || wait > longest))))
            {
                refusal = new Refusal(buckets[i], wait);
            }
        }

        for (var i = 0; refusal is not null && i < buckets.Length; i++)
        {
            if (taken[i])
            {
                cells[i].Undo(Amounts.Held(demand, buckets[i]));
            }
        }

        return refusal;
    }

    private Reservation Keep(Demand demand, Cell[] cells, Level[] levels, in Moment now)
    {
        for (var i = 0; i < levels.Length; i++)
        {
            cells[i].Pin();
        }

        var reservation = new Reservation(demand.ReservationId, demand.Tenant, demand);
        var deadline = now.Milliseconds + (long)demand.Lease.TotalMilliseconds;
        _open.Add(demand.ReservationId, new OpenReservation(reservation, cells, levels, now.Month, deadline));
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
            var buckets = demand.BucketSpan;
            for (var i = 0; i < buckets.Length; i++)
            {
                open.Cells[i].Expire(Amounts.Held(demand, buckets[i]), open.TakenInMonth);
                open.Cells[i].Unpin();
            }

            Return(open.Cells, buckets.Length);
        }
    }

    private void MakeRoom(int asked, in Moment now)
    {
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
            if (cell.IsForgettable(now))
            {
                _cells.Remove(key);
            }
        }
    }

    private Cell[] Rent(int count) =>
        count <= SpareLength && _spare.TryPop(out var cells) ? cells : new Cell[Math.Max(count, SpareLength)];

    private void Return(Cell[] cells, int count)
    {
        Array.Clear(cells, 0, count);
        if (cells.Length == SpareLength && _spare.Count < MostSpare)
        {
            _spare.Push(cells);
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
