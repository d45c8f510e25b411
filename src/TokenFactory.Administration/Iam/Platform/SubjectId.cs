namespace TokenFactory.Administration.Iam.Platform;

internal enum SubjectKind
{
    Tier = 0,
    Tenant = 1,
    Project = 2,
    User = 3,
    Key = 4,
}

/// <summary>What an entry speaks of.</summary>
/// <param name="Tenant">Of a project or user; else null.</param>
/// <param name="Name">A key's id, else a name.</param>
internal readonly record struct SubjectId(SubjectKind Kind, string? Tenant, string Name)
{
    public override string ToString() =>
        Tenant is null ? $"{Kind.ToString().ToLowerInvariant()} {Name}" : $"{Kind.ToString().ToLowerInvariant()} {Tenant}/{Name}";
}
