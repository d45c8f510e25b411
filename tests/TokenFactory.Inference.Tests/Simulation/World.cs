using System.Globalization;
using System.Text;
using TokenFactory.TestKit.Clock;

namespace TokenFactory.Inference.Tests.Simulation;

/// <summary>
/// A few gateway processes over one store, on one thread and one clock. Everything that could happen next, on any thread of any
/// process, is drawn from the seed: the same seed is the same run.
/// </summary>
internal sealed class World : IDisposable
{
    /// <summary>Writers inside one another's writes: each is a thread that is in the store while the others go on.</summary>
    private const int MostWriting = 3;

    private static readonly TimeSpan _longestRun = TimeSpan.FromMinutes(10);

    private readonly StringBuilder _trace = new();
    private readonly Troubles _troubles;
    private readonly int _requests;
    private int _asked;
    private int _names;
    private int _writing;
    private bool _isCalm;
    private string? _broken;

    public World(int seed)
    {
        Random = new Random(seed);
        _troubles = new Troubles(Random);
        _requests = Random.Next(3, 25);
        Database = new Database(this);
        Sink = new Receiver(this);
        for (var count = Random.Next(1, 4); count > 0; count--)
        {
            Start();
        }
    }

    public Random Random { get; }

    /// <summary>Far from a month's end: budgets are compared over the whole run.</summary>
    public FakeClock Clock { get; } = new(new DateTimeOffset(2026, 1, 15, 0, 0, 0, TimeSpan.Zero));

    public Database Database { get; }

    public Receiver Sink { get; }

    public List<Replica> Replicas { get; } = [];

    public List<Request> Requests { get; } = [];

    public string Trace => _trace.ToString();

    /// <summary>Since the start, whatever is done to the wall clock.</summary>
    public TimeSpan Elapsed => new(Clock.GetTimestamp());

    /// <summary>Runs to the end: first with troubles, then in calm until all that was begun must have ended.</summary>
    public void Run()
    {
        while (_asked < _requests || Chance(0.995))
        {
            Step();
            Require(Elapsed < _longestRun, "the run comes to its end");
        }

        _isCalm = true;
        Tell("calm");
        foreach (var one in Replicas)
        {
            one.Thaw();
        }

        if (Replicas.TrueForAll(static one => one.Lane.IsDead))
        {
            Start();
        }

        for (var end = Elapsed + Replica.EverythingHasEnded; Elapsed < end;)
        {
            Step();
        }

        Checks.AtTheEnd(this);
        ThrowIfBroken();
    }

    public bool Chance(double probability) => probability > 0 && Random.NextDouble() < probability;

    /// <summary>Whether a fault of this kind happens now.</summary>
    public bool Trouble(Func<Troubles, double> kind) => !_isCalm && Chance(kind(_troubles));

    public void Tell(string what) =>
        _trace.Append(CultureInfo.InvariantCulture, $"{Elapsed.TotalSeconds,9:F3}  ").AppendLine(what);

    /// <summary>Noted here and thrown by the next step: the product's own loops catch what is thrown inside of them.</summary>
    public void Require(bool holds, string promise)
    {
        if (!holds && _broken is null)
        {
            _broken = promise;
            Tell($"BROKEN: {promise}");
        }
    }

    public Guid NewId()
    {
        Span<byte> id = stackalloc byte[16];
        Random.NextBytes(id);
        return new Guid(id);
    }

    public string NameOf(Guid instance) => Replicas.Find(one => one.Id == instance)?.Name ?? "?";

    public void StartLater() => Later(TimeSpan.FromSeconds(20 * Random.NextDouble()), Start);

    /// <summary>A writer's thread is in the store for so long.</summary>
    public void Wait(Lane lane, TimeSpan time)
    {
        _writing++;
        for (var end = Elapsed + time; Elapsed < end && !lane.IsDead;)
        {
            Step();
        }

        _writing--;
    }

    /// <summary>What the others do while a writer's thread is in the store.</summary>
    public void Meanwhile(Lane lane)
    {
        _writing++;
        try
        {
            for (var steps = Random.Next(6); (steps > 0 || lane.IsFrozen) && !lane.IsDead; steps--)
            {
                Step();
            }
        }
        finally
        {
            _writing--;
        }
    }

    /// <summary>A round trip or a backend's thinking, of any length up to the given one.</summary>
    public async Task PassAsync(TimeSpan most)
    {
        if (Chance(0.5))
        {
            await Task.Delay(most * Random.NextDouble(), Clock);
        }
    }

    /// <summary>Something that happens later, outside of every process.</summary>
    public void Later(TimeSpan delay, Action what) => Clock.CreateTimer(_ => what(), null, delay, Timeout.InfiniteTimeSpan);

    public void Dispose()
    {
        Replicas.ForEach(static one => one.Dispose());
        Requests.ForEach(static one => one.Dispose());
        Database.Dispose();
    }

    private void ThrowIfBroken()
    {
        if (_broken is not null)
        {
            throw new PromiseBrokenException(_broken);
        }
    }

    private void Step()
    {
        ThrowIfBroken();
        MakeTrouble();
        var ready = Replicas.FindAll(static one => one.Lane.IsReady);
        var turning = _writing < MostWriting ? Replicas.FindAll(static one => one.MayWrite) : [];
        switch (Random.Next(4))
        {
            case 0 when _asked < _requests && Replicas.Find(static one => !one.Lane.IsDead && !one.Lane.IsFrozen) is not null && Chance(0.2):
                var living = Replicas.FindAll(static one => !one.Lane.IsDead && !one.Lane.IsFrozen);
                var request = new Request(this, living[Random.Next(living.Count)], ++_asked);
                Requests.Add(request);
                request.Start();
                break;
            case 0 or 1 when turning.Count > 0:
                turning[Random.Next(turning.Count)].Write();
                break;
            case 0 or 1 or 2 when ready.Count > 0:
                ready[Random.Next(ready.Count)].Lane.RunOne(Random);
                break;
            default:
                if (ready.Count + turning.Count == 0 || Chance(0.2))
                {
                    Advance(TimeSpan.FromMilliseconds(Math.Pow(10, 3.3 * Random.NextDouble())));
                }

                break;
        }
    }

    /// <summary>Timers fire on no process' thread: what awaits them goes on in its own lane.</summary>
    private void Advance(TimeSpan by)
    {
        var before = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        Clock.Advance(by);
        SynchronizationContext.SetSynchronizationContext(before);
    }

    private void Start()
    {
        var replica = new Replica(this, $"g{++_names}");
        Replicas.Add(replica);
        replica.Start();
    }

    private void MakeTrouble()
    {
        var living = Replicas.FindAll(static one => !one.Lane.IsDead);
        if (living.Count > 0 && Trouble(static kind => kind.Kill))
        {
            living[Random.Next(living.Count)].Kill();
            StartLater();
        }

        if (living.Count > 0 && Trouble(static kind => kind.Freeze))
        {
            var one = living[Random.Next(living.Count)];
            one.Freeze();
            Later(Replica.InstanceLease * 4 * Random.NextDouble(), one.Thaw);
        }

        if (Trouble(static kind => kind.ClockJump))
        {
            var by = TimeSpan.FromHours(4 * (Random.NextDouble() - 0.5));
            Tell($"the wall clock is set by {by.TotalMinutes:F0} min");
            Clock.CorrectWallClock(by);
        }
    }
}
