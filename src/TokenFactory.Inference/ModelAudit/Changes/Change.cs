namespace TokenFactory.Inference.ModelAudit.Changes;

internal enum Verdict
{
    Nothing = 0,
    Raised = 1,

    /// <summary>The change that was raised last is over.</summary>
    Ended = 2,
}

/// <param name="Since">The moment of the sample at which it most likely began.</param>
internal readonly record struct Change<T>(T Before, T After, DateTimeOffset Since);

/// <summary>
/// What the tests of figures and shares have in common: two windows that follow each other, the recent and the one before it. Each
/// sample passes through both; while a change is raised the older window stays as it was, so that a return to it is seen.
/// </summary>
internal static class ShiftWindows
{
    public const int Recent = 300;
    public const int Before = 1200;

    /// <summary>Samples before the recent ones without which nothing is said.</summary>
    public const int Enough = 400;

    /// <summary>How many samples come between two looks.</summary>
    public const int Step = 50;

    /// <summary>A change that has lasted so long is what is usual.</summary>
    public static readonly TimeSpan Usual = TimeSpan.FromHours(24);
}
