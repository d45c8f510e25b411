namespace TokenFactory.Gateway.EndToEnd.Faults.Matrix;

/// <summary>The two projects of one round, each with one key and one monthly budget: what a round did is what is in them.</summary>
internal sealed record Book(int Round)
{
    public const long WideBudget = 1_000_000_000;

    /// <summary>Runs out while a round lasts.</summary>
    public const long TightBudget = 4_000;

    public string Wide { get; } = $"wide-{Round}";

    public string Tight { get; } = $"tight-{Round}";

    public string[] Projects => [Wide, Tight];

    public static string KeyOf(string project) => $"a-key-that-only-the-fault-matrix-knows-{project}";
}
