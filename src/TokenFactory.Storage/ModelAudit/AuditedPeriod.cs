namespace TokenFactory.Storage.ModelAudit;

/// <summary>What one process saw of one deployment within a few minutes. Periods of several processes and of a longer time add up.</summary>
public sealed record AuditedPeriod
{
    public required string Deployment { get; init; }

    public required DateTimeOffset Start { get; init; }

    public required Guid InstanceId { get; init; }

    /// <summary>Answers and errors: what says something of the deployment.</summary>
    public required long Requests { get; init; }

    public required long Errors { get; init; }

    public required long Refusals { get; init; }

    /// <summary>Of streams.</summary>
    public required LogHistogram FirstTokenMs { get; init; }

    public required LogHistogram TokensPerSecond { get; init; }

    /// <summary>Of answers that ended by themselves.</summary>
    public required LogHistogram OutputTokens { get; init; }

    /// <summary>How many answers said they are from it.</summary>
    public required IReadOnlyDictionary<string, long> Models { get; init; }

    public required IReadOnlyDictionary<string, long> Fingerprints { get; init; }
}
