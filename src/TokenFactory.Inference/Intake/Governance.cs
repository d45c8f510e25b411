namespace TokenFactory.Inference.Intake;

/// <summary>What the caller says of a request for the policy to judge. It can narrow what the key may do, never widen it.</summary>
public sealed record Governance
{
    public static Governance Undeclared { get; } = new();

    public string? UseCase { get; init; }

    public string? Tier { get; init; }

    public string? Environment { get; init; }

    public string? UserRole { get; init; }

    /// <summary>The region this request is narrowed to; null leaves it to the policy.</summary>
    public string? Region { get; init; }

    public string? Classification { get; init; }

    public string? SafetyProfile { get; init; }

    /// <summary>Controls the caller says are in force: <c>logging</c>, <c>redaction</c>, …</summary>
    public IReadOnlyList<string> Controls { get; init; } = [];
}
