using TokenFactory.Inference.Metering;

namespace TokenFactory.Inference.ModelAudit;

/// <summary>What one attempt told of its deployment, as the request's path knows it: figures are made of it later, elsewhere.</summary>
internal readonly record struct AnswerSample(AnswerEnd End, TimeSpan Duration)
{
    public bool IsStream { get; init; }

    /// <summary>Whether the model ended it, and no bound on its length did.</summary>
    public bool EndedByItself { get; init; }

    /// <summary>Tokens that were not read from a cache.</summary>
    public long Input { get; init; }

    /// <summary>Tokens; null where they are not a text's or not known.</summary>
    public long? Output { get; init; }

    /// <summary>How many answers share the output.</summary>
    public int Choices { get; init; }

    /// <summary>From the call to the first byte of a stream; null for what is no stream.</summary>
    public TimeSpan? FirstByte { get; init; }

    public string? Model { get; init; }

    public string? Fingerprint { get; init; }
}
