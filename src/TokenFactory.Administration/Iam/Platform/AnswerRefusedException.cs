namespace TokenFactory.Administration.Iam.Platform;

/// <summary>Why the platform's answer, or its silence, changes nothing. The closed list is the metric's label.</summary>
internal enum AnswerRefusal
{
    Unreachable = 0,
    TimedOut = 1,
    BadStatus = 2,
    Malformed = 3,
    CutShort = 4,
    OlderVersion = 5,
    NotAsked = 6,
    TooLarge = 7,
    Nameless = 8,
}

/// <summary>The source is broken, gone or lying: what was good stays.</summary>
internal sealed class AnswerRefusedException(AnswerRefusal reason, string message, Exception? cause = null) : Exception(message, cause)
{
    public AnswerRefusal Reason { get; } = reason;
}
