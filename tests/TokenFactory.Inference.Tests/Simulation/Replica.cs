using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using TokenFactory.Inference.Dispatch.Running;
using TokenFactory.Inference.Dispatch.Standing;
using TokenFactory.Inference.Ledger;
using TokenFactory.Inference.Limits;
using TokenFactory.Inference.Metering;
using TokenFactory.Inference.ModelAudit;
using TokenFactory.Storage;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Relay;

namespace TokenFactory.Inference.Tests.Simulation;

/// <summary>One gateway process: the product's stops from Limits to Metering, its journal, its settlers and its relay.</summary>
internal sealed class Replica : IDisposable
{
    /// <summary>The product's bounds, in the proportions they have there.</summary>
    public static readonly TimeSpan InstanceLease = TimeSpan.FromSeconds(6);
    public static readonly TimeSpan SinkLease = TimeSpan.FromSeconds(6);
    public static readonly TimeSpan WrittenWithin = TimeSpan.FromSeconds(20);

    /// <summary>Longer than every bound that follows another: requests, late settlements, leases, pauses.</summary>
    public static readonly TimeSpan EverythingHasEnded = TimeSpan.FromSeconds(110);

    private static readonly LedgerOptions _ledger = new()
    {
        SettleWithin = TimeSpan.FromSeconds(3),
        OfferLateEvery = TimeSpan.FromSeconds(1),
        UnknownAdmissionWithin = TimeSpan.FromSeconds(40),
    };

    private static readonly MeteringOptions _metering = new() { KeepAliveInterval = TimeSpan.FromHours(2), CheckpointInterval = TimeSpan.FromSeconds(1) };
    private static readonly RelayOptions _relay = new() { Poll = TimeSpan.FromSeconds(2), LongestPause = TimeSpan.FromSeconds(5), RejectionsBeforeParking = 2 };
    private static readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private static readonly GatewayMetrics _metrics = new(_services.GetRequiredService<IMeterFactory>());

    private readonly World _world;
    private readonly SteppedJournal _journal;
    private readonly LaneJournal _entries;
    private readonly LateSettlements _late;
    private readonly OrphanSettler _orphans;
    private readonly SinkRelay _sink;
    private readonly RelayMetrics _relayMetrics;
    private bool _isWriting;

    public Replica(World world, string name)
    {
        _world = world;
        Name = name;
        Lane = new Lane(name);
        Id = world.NewId();
        _journal = new SteppedJournal(world.Clock, new FaultyBatches(world, Lane, Id), queue: world.Random.Next(4, 64), batch: world.Random.Next(1, 8));
        _entries = new LaneJournal(_journal);
        _late = new LateSettlements(_entries, _ledger, world.Clock, NullLogger<LateSettlements>.Instance);
        _orphans = new OrphanSettler(_entries, new FaultyOpenAdmissions(world, Lane, Id), world.Clock, NullLogger<OrphanSettler>.Instance);
        _relayMetrics = new RelayMetrics(world.Clock);
        _sink = new SinkRelay(
            new FaultySink(world, Lane, world.Random.Next(1, 8)), new FaultyOutbox(world, Lane, Id), _relay, _relayMetrics, world.Clock, world.Random, NullLogger.Instance);
        Limiter = new WatchedLimiter(world);
        Pipeline = Build();
    }

    public string Name { get; }

    public Guid Id { get; }

    public Lane Lane { get; }

    public WatchedLimiter Limiter { get; }

    public RequestDelegate Pipeline { get; }

    /// <summary>Whether its writer's thread may run now, and has something to do or may have.</summary>
    public bool MayWrite => !_isWriting && !Lane.IsDead && !Lane.IsFrozen && (_entries.Waiting > 0 || _entries.HasNotes || !_journal.Works);

    public void Start()
    {
        _world.Tell($"{Name} starts");
        if (!_journal.TryOpen())
        {
            Kill();
            _world.StartLater();
            return;
        }

        Lane.Run(() =>
        {
            _ = EveryAsync(InstanceLease / 4, () => _world.Trouble(static kind => kind.BeatSkipped) ? Task.CompletedTask : _entries.BeatAsync());
            _ = EveryAsync(InstanceLease / 2, () => _orphans.SettleAsync());
            _ = EveryAsync(_ledger.OfferLateEvery, () => _late.OfferAsync(isLast: false));
            _ = _sink.RunAsync(CancellationToken.None, CancellationToken.None);
        });
    }

    /// <summary>One turn of the writer's thread, which belongs to no lane.</summary>
    public void Write()
    {
        _isWriting = true;
        var before = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            _entries.Written();
            _journal.Turn();
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
            _isWriting = false;
        }
    }

    public void Kill()
    {
        _world.Tell($"{Name} dies");
        Lane.IsDead = true;
        Limiter.Dispose();
    }

    public void Freeze()
    {
        _world.Tell($"{Name} freezes");
        Lane.IsFrozen = true;
    }

    public void Thaw()
    {
        if (Lane.IsFrozen)
        {
            _world.Tell($"{Name} wakes up");
            Lane.IsFrozen = false;
        }
    }

    public void Dispose()
    {
        _journal.Dispose();
        _relayMetrics.Dispose();
        Limiter.Dispose();
        _late.Dispose();
    }

    private RequestDelegate Build()
    {
        var learnt = new LearntOutputs();
        var metering = new MeteringMiddleware(
            Request.DispatchAsync, new AnswerFactory(_entries, _metering, _world.Clock), new AnswerJudge(new Standings(_metrics, _world.Clock, NullLogger<Standings>.Instance)), _metering, _metrics, _world.Clock, NullLogger<MeteringMiddleware>.Instance);
        var ledger = new LedgerMiddleware(
            metering.InvokeAsync, _entries, new RunningRequests(), _late, Limiter, learnt, new AnswerWatch(), new Instance(Id), _ledger, _metrics, _world.Clock, NullLogger<LedgerMiddleware>.Instance);
        return new LimitsMiddleware(ledger.InvokeAsync, Limiter, learnt, NullLogger<LimitsMiddleware>.Instance).InvokeAsync;
    }

    private async Task EveryAsync(TimeSpan period, Func<Task> work)
    {
        while (true)
        {
            await Task.Delay(period, _world.Clock);
            try
            {
                await work();
            }
            catch (Exception cause) when (cause is StorageException or JournalUnavailableException)
            {
                // As the product does: the next round does the same work.
            }
        }
    }
}
