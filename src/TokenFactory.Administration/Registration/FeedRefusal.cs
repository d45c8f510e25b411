namespace TokenFactory.Administration.Registration;

/// <summary>Why an answer of the control plane changed nothing.</summary>
internal enum FeedRefusal
{
    Unreachable,
    TimedOut,
    BadStatus,
    TooLarge,

    /// <summary>Not of the contract's shape.</summary>
    Malformed,

    /// <summary>Its version is below the one that was taken last, or is that one with another content.</summary>
    OlderVersion,

    /// <summary>The configuration cannot be read with it.</summary>
    Mistaken,
}

/// <summary>An answer, or its absence, that changes nothing: what was registered before stays.</summary>
internal sealed class FeedRefusedException(FeedRefusal reason, string message, Exception? cause = null) : Exception(message, cause)
{
    public FeedRefusal Reason { get; } = reason;
}
