namespace TokenFactory.TestKit.Upstream.Steps;

/// <summary>What stands in the usage field of a stream's ordinary chunks.</summary>
public enum ChunkUsage
{
    /// <summary>Null when usage was asked for, cumulative when continuous usage was, else absent.</summary>
    AsAsked,
    Absent,
    Cumulative,
    Zero,
}

/// <summary>How a stream's events are put on the wire.</summary>
public sealed record ChunkStyle
{
    public ChunkUsage Usage { get; init; }

    public UpstreamUsage? StatedUsage { get; init; }

    public string LineEnd { get; init; } = "\n";

    public string Prefix { get; init; } = "data: ";

    /// <summary>Without the "event:" lines of a dialect that has them.</summary>
    public bool Unnamed { get; init; }

    /// <summary>Text outside ASCII is written as escapes.</summary>
    public bool Escapes { get; init; }

    public TimeSpan Pause { get; init; }

    /// <summary>Body offsets after which a new write begins; <see cref="EveryByte"/> for all of them.</summary>
    public IReadOnlyList<long> Cuts { get; init; } = [];

    public bool EveryByte { get; init; }

    public TimeSpan PauseAtCut { get; init; }

    /// <summary>By how many bytes a body's stated length lies.</summary>
    public int ContentLengthOff { get; init; }
}
