using System.Collections.Frozen;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Routes;

namespace TokenFactory.Administration.Configuration.Settings;

/// <summary>A tenant of the file, with everything that belongs to it.</summary>
public sealed record TenantSettings(
    Tenant Tenant, IReadOnlyList<Project> Projects, IReadOnlyList<User> Users, IReadOnlyList<KeySettings> Keys);

/// <summary>A key of the file, given by its digest or by a reference to the whole secret.</summary>
public sealed record KeySettings
{
    /// <summary>As given, else derived from the tenant's and the key's name, so that it stays when the secret changes.</summary>
    public required string Id { get; init; }

    public required string Name { get; init; }

    public required Project Project { get; init; }

    public required User? User { get; init; }

    public required FrozenSet<string> Scopes { get; init; }

    public required ModelAllowList Models { get; init; }

    public required LimitSet Limits { get; init; }

    public required DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>The whole key; digested when the snapshot is built. Null when <see cref="Hash"/> is given.</summary>
    public required Secret? Secret { get; init; }

    /// <summary>Null when <see cref="Secret"/> is given.</summary>
    public required KeyHash? Hash { get; init; }
}
