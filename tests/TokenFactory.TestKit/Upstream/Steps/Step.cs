namespace TokenFactory.TestKit.Upstream.Steps;

internal enum StepKind
{
    Head,
    Opening,
    Piece,
    Finish,
    Usage,
    Done,
    Other,
    Ending,
}

/// <summary>One thing a script does. The kind is what shapes and endings find their place by.</summary>
internal sealed record Step(StepKind Kind, Func<Play, ValueTask> PlayAsync);
