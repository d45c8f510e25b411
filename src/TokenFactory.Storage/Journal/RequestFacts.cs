namespace TokenFactory.Storage.Journal;

/// <summary>Who asked for what: what every durable record of a request begins with.</summary>
public abstract record RequestFacts
{
    /// <summary>The gateway-made UUIDv7 that is also the response's <c>x-request-id</c> and the usage event's id.</summary>
    public required Guid RequestId { get; init; }

    /// <summary>The process that took it.</summary>
    public required Guid InstanceId { get; init; }

    public required string Tenant { get; init; }

    public required string Project { get; init; }

    public string? Department { get; init; }

    public string? User { get; init; }

    public required string KeyId { get; init; }

    public string? Tier { get; init; }

    public string? UseCase { get; init; }

    /// <summary><c>chat</c>, <c>completions</c> or <c>embeddings</c>.</summary>
    public required string Operation { get; init; }

    public required bool Stream { get; init; }

    /// <summary>The public name the caller asked for.</summary>
    public required string Model { get; init; }

    public string? PolicyDecisionId { get; init; }

    /// <summary>
    /// What the policy decided and by what, a JSON object: configuration revision, bundle, rules, what the caller declared, excluded
    /// deployments with the reasons (docs/api/audit-record.schema.json). Null where it was not asked.
    /// </summary>
    public string? Policy { get; init; }
}
