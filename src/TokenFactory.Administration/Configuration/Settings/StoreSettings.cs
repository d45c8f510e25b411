using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Administration.Configuration.Settings;

public enum StoreKind
{
    /// <summary>A file in the data directory; one replica.</summary>
    Sqlite = 0,

    /// <summary>A PostgreSQL database; any number of replicas.</summary>
    Postgres = 1,
}

/// <summary>Where admissions, settlements and the embedded IAM are kept.</summary>
public sealed record StoreSettings(StoreKind Kind)
{
    /// <summary>Of a PostgreSQL store; it may hold a password.</summary>
    public Secret? Connection { get; init; }

    /// <summary>How long a replica of a PostgreSQL store may be silent before another settles what it left open.</summary>
    public TimeSpan InstanceLease { get; init; } = TimeSpan.FromSeconds(30);
}
