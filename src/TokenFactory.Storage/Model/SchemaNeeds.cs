namespace TokenFactory.Storage.Model;

/// <summary>
/// The single row that names the migration a program must know to serve this schema. A migration that only adds what older programs
/// can live with leaves it as it is, and they go on, and start, beside newer ones; one that they cannot live with writes its own name here.
/// </summary>
internal sealed class SchemaNeeds
{
    public const int OnlyId = 1;

    public int Id { get; init; } = OnlyId;

    public required string Migration { get; init; }
}
