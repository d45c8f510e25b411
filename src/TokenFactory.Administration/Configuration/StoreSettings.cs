namespace TokenFactory.Administration.Configuration;

public enum StoreKind
{
    /// <summary>A file in the data directory; one replica.</summary>
    Sqlite = 0,
}

/// <summary>Where admissions, settlements and the embedded IAM are kept.</summary>
public sealed record StoreSettings(StoreKind Kind);
