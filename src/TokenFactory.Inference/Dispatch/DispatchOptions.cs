using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference.Dispatch;

public sealed record DispatchOptions
{
    /// <summary>For deployments that set none of their own.</summary>
    public Clocks Clocks { get; init; } = Clocks.Default;

    /// <summary>Backends that one request asks at most; what answers inside the gateway is asked beyond it.</summary>
    public int MaxAttempts { get; init; } = 4;

    public TimeSpan ProbeTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long an endpoint that failed in traffic is passed over before it is tried again.</summary>
    public TimeSpan PassiveRest { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long running requests may go on once the process was told to stop.</summary>
    public TimeSpan DrainWithin { get; init; } = TimeSpan.FromSeconds(30);
}
