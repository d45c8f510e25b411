namespace TokenFactory.Inference.Tests.Simulation;

/// <summary>
/// The threads of one simulated process: what its code goes on with waits here until the world picks it. What is posted to a dead
/// one is lost, as its memory is; a frozen one keeps it.
/// </summary>
internal sealed class Lane(string name) : SynchronizationContext
{
    private readonly List<(SendOrPostCallback Callback, object? State)> _ready = [];

    public string Name => name;

    public bool IsDead { get; set; }

    public bool IsFrozen { get; set; }

    public bool IsReady => _ready.Count > 0 && !IsDead && !IsFrozen;

    public override void Post(SendOrPostCallback d, object? state)
    {
        if (!IsDead)
        {
            _ready.Add((d, state));
        }
    }

    public override void Send(SendOrPostCallback d, object? state) => throw new NotSupportedException("Nothing in the product waits for a thread.");

    public override SynchronizationContext CreateCopy() => this;

    /// <summary>Runs any one of what is ready: a pool of threads keeps no order either.</summary>
    public void RunOne(Random random)
    {
        var index = random.Next(_ready.Count);
        var (callback, state) = _ready[index];
        _ready.RemoveAt(index);
        Run(() => callback(state));
    }

    public void Run(Action action)
    {
        var before = Current;
        SetSynchronizationContext(this);
        try
        {
            action();
        }
        finally
        {
            SetSynchronizationContext(before);
        }
    }
}
