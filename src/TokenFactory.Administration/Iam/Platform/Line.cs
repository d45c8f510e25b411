using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Keys;

namespace TokenFactory.Administration.Iam.Platform;

/// <summary>A line of the platform's answer, as it was understood.</summary>
internal abstract record Line;

internal sealed record HeaderLine(long Version, long? Since, DateTimeOffset? At) : Line;

internal sealed record EndLine(long Version, long Entries) : Line;

/// <summary>Of a type that is not known here.</summary>
internal sealed record IgnoredLine : Line
{
    public static IgnoredLine Instance { get; } = new();
}

/// <summary>Nobody can say what it speaks of; it might have been a revocation.</summary>
internal sealed record NamelessLine(string Why) : Line;

internal abstract record Entry(SubjectId Id) : Line;

internal sealed record TierEntry(SubjectId Id, Tier Tier) : Entry(Id);

/// <param name="Tenant">Without its tier, which may change after it.</param>
internal sealed record TenantEntry(SubjectId Id, string? Tier, Tenant Tenant) : Entry(Id);

internal sealed record ProjectEntry(SubjectId Id, Project Project) : Entry(Id);

internal sealed record UserEntry(SubjectId Id, User User) : Entry(Id);

/// <param name="Key">Its tenant, project and user are names only.</param>
/// <param name="Fault">Why it is refused as revoked although the platform does not say so; null when it is valid.</param>
internal sealed record KeyEntry(SubjectId Id, ApiKey Key, IReadOnlyList<SecretEntry> Secrets, string? Fault) : Entry(Id);

internal sealed record SecretEntry(string PepperVersion, KeyDigest Digest, DateTimeOffset? ExpiresAt);

internal sealed record RemovedEntry(SubjectId Id) : Entry(Id);

/// <summary>Says what it speaks of, and of that nothing that can be used.</summary>
internal sealed record BrokenEntry(SubjectId Id, string Why) : Entry(Id);
