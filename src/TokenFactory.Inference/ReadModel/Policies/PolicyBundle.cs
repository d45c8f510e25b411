using System.Collections.Frozen;

namespace TokenFactory.Inference.ReadModel.Policies;

/// <summary>
/// The sovereignty rules in force, immutable and versioned. Whatever restricts adds up: a request is denied when any rule
/// denies it, and every restriction binds every hop. Only a bundle that does not allow by default needs a rule that allows.
/// </summary>
public sealed record PolicyBundle
{
    /// <summary>Without a bundle nothing but the tenant's own policy restricts.</summary>
    public static PolicyBundle None { get; } = new() { Version = "none", Rules = [] };

    public required string Version { get; init; }

    /// <summary>What becomes of a request that no rule allows.</summary>
    public bool AllowsByDefault { get; init; } = true;

    public required IReadOnlyList<PolicyRule> Rules { get; init; }

    /// <summary>The words an attribute may have; an attribute that is absent here may have any.</summary>
    public FrozenDictionary<PolicyAttribute, FrozenSet<string>> Vocabulary { get; init; } = FrozenDictionary<PolicyAttribute, FrozenSet<string>>.Empty;
}

/// <summary>What rules can ask of a request.</summary>
public enum PolicyAttribute
{
    Tenant,
    Project,
    Tier,
    Environment,
    UseCase,
    UserRole,
    Region,
    Classification,
    SafetyProfile,
    Model,
    Control,
}
