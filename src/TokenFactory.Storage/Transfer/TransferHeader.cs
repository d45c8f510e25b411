using System.Text.Json.Serialization;

namespace TokenFactory.Storage.Transfer;

/// <summary>The first line of a transfer file: what it is and where it comes from.</summary>
public sealed record TransferHeader
{
    internal const string OurFormat = "tokenfactory-transfer";
    internal const int OurVersion = 1;

    public required string Format { get; init; }

    public required int Version { get; init; }

    /// <summary>The version of the program that wrote it.</summary>
    public required string Gateway { get; init; }

    /// <summary><c>sqlite</c> or <c>postgres</c>.</summary>
    public required string Store { get; init; }

    /// <summary>The newest migration of the store it was read from.</summary>
    public required string Migration { get; init; }

    public required DateTimeOffset ExportedAt { get; init; }

    /// <summary>The installation's peppers by version, each as a mark that only the same pepper makes: what the keys in the file need.</summary>
    public required IReadOnlyDictionary<string, string> Peppers { get; init; }
}

/// <summary>A line of a transfer file that is neither its header nor a row.</summary>
internal sealed record TransferLine
{
    /// <summary>Begins a table.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Table { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Columns { get; init; }

    /// <summary>Ends a table.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? End { get; init; }

    /// <summary>Ends the file, with the number of its tables: a file without it was cut short.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Tables { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? Rows { get; init; }

    /// <summary>Of the table's rows as they stand in the file; in the last line, of every line before it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Sha256 { get; init; }
}
