namespace TokenFactory.Storage.Audit;

/// <summary>One record of the audit trail as it is kept.</summary>
public sealed record AuditRecord
{
    /// <summary>The request's id, or the adjustment's.</summary>
    public required Guid Id { get; init; }

    /// <summary>Whose chain it is in: the instance that wrote it.</summary>
    public required Guid Chain { get; init; }

    /// <summary>Its place there; the first is 1.</summary>
    public required long Sequence { get; init; }

    public required string Tenant { get; init; }

    public required string Project { get; init; }

    /// <summary>One of <see cref="AuditKind"/>.</summary>
    public required string Kind { get; init; }

    public required DateTimeOffset RecordedAt { get; init; }

    /// <summary>UTF-8 JSON (docs/api/audit-record.schema.json).</summary>
    public required byte[] Body { get; init; }

    /// <summary>SHA-256 over the hash before it, its place and its body.</summary>
    public required byte[] Hash { get; init; }

    /// <summary>The hash it follows: that of the record before it, or of the chain's id.</summary>
    public required byte[] Previous { get; init; }
}

/// <summary>Which records to look at. A tenant is always named: there is no query over all of them by accident.</summary>
public sealed record AuditFilter
{
    /// <summary>Null only for the operator's own command line.</summary>
    public required string? Tenant { get; init; }

    public string? Project { get; init; }

    /// <summary>By when the request came, to the millisecond; inclusive.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>By when the request came, to the millisecond; exclusive.</summary>
    public DateTimeOffset? Until { get; init; }
}

/// <summary>Where a writer's chain ends.</summary>
public sealed record AuditChainEnd(Guid Chain, long Sequence, byte[] Hash);
