namespace TokenFactory.Storage.Model;

/// <summary>The single row whose number every IAM change raises.</summary>
internal sealed class ReadModelVersion
{
    public const int OnlyId = 1;

    public int Id { get; init; } = OnlyId;

    public long Version { get; init; }
}
