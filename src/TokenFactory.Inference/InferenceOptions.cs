using TokenFactory.Inference.Dispatch;
using TokenFactory.Inference.Guard;
using TokenFactory.Inference.Intake;
using TokenFactory.Inference.Ledger;
using TokenFactory.Inference.Limits.Redis;
using TokenFactory.Inference.Metering;

namespace TokenFactory.Inference;

/// <summary>What the stops are set to. Validated by the configuration before it gets here.</summary>
public sealed record InferenceOptions
{
    /// <summary>The id of this process.</summary>
    public required Guid InstanceId { get; init; }

    public IntakeOptions Intake { get; init; } = new();

    public GuardOptions Guard { get; init; } = new();

    public DispatchOptions Dispatch { get; init; } = new();

    public MeteringOptions Metering { get; init; } = new();

    /// <summary>Null counts limits in this process.</summary>
    public RedisLimiterOptions? RedisLimiter { get; init; }

    public LedgerOptions Ledger { get; init; } = new();
}
