namespace TokenFactory.Inference.Metering;

public sealed record MeteringOptions
{
    /// <summary>Silence after which a stream's client gets a comment.</summary>
    public TimeSpan KeepAliveInterval { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How often a running stream's usage is noted for the case that this process dies.</summary>
    public TimeSpan CheckpointInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Bytes of a non-stream answer that are held whole, so that a bad one can still become an honest error.</summary>
    public int HeldAnswerBytes { get; init; } = 256 * 1024;
}
