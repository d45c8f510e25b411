using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace TokenFactory.Inference.Limits.Local;

/// <summary>
/// The limiter of a single process: nothing to wait for, nothing that can be down. It fails closed only at its own bounds.
/// What it forgets with the process is at most a minute of rates; budgets are loaded again from the ledger.
/// </summary>
public sealed class LocalLimiter : ILimiter, IDisposable
{
    private static readonly TimeSpan _sweepEvery = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, TenantPartition> _partitions = new(StringComparer.Ordinal);
    private readonly Func<string, TenantPartition> _newPartition;
    private readonly ITimer _sweeper;

    public LocalLimiter(TimeProvider clock, IMeterFactory? meters = null, LocalLimiterBounds? bounds = null)
    {
        var origin = clock.GetTimestamp();
        _newPartition = _ => new TenantPartition(clock, origin, bounds ?? LocalLimiterBounds.Default);
        _sweeper = clock.CreateTimer(static limiter => ((LocalLimiter)limiter!).Sweep(), this, _sweepEvery, _sweepEvery);

        var meter = meters?.Create("TokenFactory.Gateway");
        meter?.CreateObservableUpDownCounter("tokenfactory.limits.buckets", () => Buckets, "{bucket}", "Buckets in memory.");
        meter?.CreateObservableUpDownCounter("tokenfactory.limits.open_reservations", () => Open, "{reservation}", "Reservations not settled yet.");
    }

    internal int Buckets => _partitions.Sum(p => p.Value.Buckets);

    internal int Open => _partitions.Sum(p => p.Value.Open);

    public ValueTask<Taking> TakeAsync(Demand demand, CancellationToken cancel)
    {
        if (cancel.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<Taking>(cancel);
        }

        while (true)
        {
            var partition = PartitionOf(demand.Tenant);
            if (partition.TryTake(demand, out var taking))
            {
                return ValueTask.FromResult(taking);
            }

            Drop(demand.Tenant, partition);
        }
    }

    /// <summary>Never cancelled: what was taken must come back even when the caller is gone.</summary>
    public ValueTask SettleAsync(Reservation reservation, Actual actual, CancellationToken cancel)
    {
        TrySettle(reservation, actual);
        return ValueTask.CompletedTask;
    }

    /// <returns>False for what was not taken here, or is settled already.</returns>
    internal bool TrySettle(Reservation reservation, in Actual actual) =>
        _partitions.TryGetValue(reservation.Tenant, out var partition) && partition.TrySettle(reservation.Id, actual);

    public ValueTask LoadAsync(string tenant, Bucket bucket, long spent, DateTimeOffset month, CancellationToken cancel)
    {
        Load(tenant, bucket, spent);
        return ValueTask.CompletedTask;
    }

    /// <summary>Sets what this month has spent of a budget, from the ledger, which is the truth. Meant for the start, before the first take.</summary>
    public void Load(string tenant, Bucket bucket, long spent)
    {
        if (bucket.Dimension is not (Dimension.TokensPerMonth or Dimension.NanoUsdPerMonth))
        {
            throw new ArgumentException($"Only budgets can be loaded, not {bucket.Dimension}.", nameof(bucket));
        }

        while (PartitionOf(tenant) is var partition && !partition.TryLoad(bucket, spent))
        {
            Drop(tenant, partition);
        }
    }

    /// <summary>Forgets what nobody uses: full buckets, last month's budgets, tenants with neither.</summary>
    internal void Sweep()
    {
        foreach (var (tenant, partition) in _partitions)
        {
            if (partition.Sweep())
            {
                Drop(tenant, partition);
            }
        }
    }

    public void Dispose() => _sweeper.Dispose();

    private TenantPartition PartitionOf(string tenant) => _partitions.GetOrAdd(tenant, _newPartition);

    private void Drop(string tenant, TenantPartition closed) => _partitions.TryRemove(KeyValuePair.Create(tenant, closed));
}
