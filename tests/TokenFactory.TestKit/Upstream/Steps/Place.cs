namespace TokenFactory.TestKit.Upstream.Steps;

/// <summary>A place in a script: where it cuts, stalls, waits or says something out of turn.</summary>
public sealed class Place
{
    private readonly Func<List<Step>, int> _find;

    private Place(Func<List<Step>, int> find) => _find = find;

    public static Place Start { get; } = new(_ => 0);

    public static Place AfterHead { get; } = new(steps => steps.FindIndex(step => step.Kind == StepKind.Head) + 1);

    public static Place BeforeFinish { get; } = Before(StepKind.Finish);

    public static Place BeforeUsage { get; } = Before(StepKind.Usage);

    public static Place BeforeDone { get; } = Before(StepKind.Done);

    public static Place End { get; } = Before(StepKind.Ending);

    /// <summary>After so many content pieces (words of a stream, halves of a whole answer), or after the last when there are fewer.</summary>
    public static Place AfterPieces(int count) => new(steps =>
    {
        var pieces = steps.Select((step, index) => (step, index)).Where(pair => pair.step.Kind == StepKind.Piece).Take(count).ToList();
        return pieces.Count == 0 ? AfterHead.In(steps) : pieces[^1].index + 1;
    });

    internal int In(List<Step> steps) => _find(steps);

    private static Place Before(StepKind kind) => new(steps => steps.FindIndex(step => step.Kind == kind) is var found and >= 0 ? found : steps.Count);
}
