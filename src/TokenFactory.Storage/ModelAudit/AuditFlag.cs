namespace TokenFactory.Storage.ModelAudit;

/// <summary>A change of a deployment that one process found, and that the deployment's configuration does not explain.</summary>
public sealed record AuditFlag
{
    /// <summary>The event's id as well.</summary>
    public required Guid Id { get; init; }

    public required Guid InstanceId { get; init; }

    public required string Deployment { get; init; }

    public required string Provider { get; init; }

    public string? Region { get; init; }

    /// <summary>As configured; null is whatever the caller asked for.</summary>
    public string? UpstreamModel { get; init; }

    public string? UpstreamVersion { get; init; }

    public required AuditedKind Kind { get; init; }

    /// <summary>When it began, as far as the answers tell.</summary>
    public required DateTimeOffset Since { get; init; }

    public required DateTimeOffset DetectedAt { get; init; }

    /// <summary>When it was over: as before again, explained by a new configuration, or so old that it is what is usual. Null while it holds.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>A name, or a figure as JSON writes it.</summary>
    public required string Before { get; init; }

    public required string After { get; init; }
}
