namespace TokenFactory.Inference.Intake;

public sealed record IntakeOptions
{
    /// <summary>One body, in bytes.</summary>
    public int BodyLimitBytes { get; init; } = 10 * 1024 * 1024;

    /// <summary>All bodies of the process together, in bytes; null takes a quarter of the memory the process may use.</summary>
    public long? BodyBudgetBytes { get; init; }

    /// <summary>Levels of JSON nesting.</summary>
    public int MaxDepth { get; init; } = 64;

    public long EffectiveBodyBudgetBytes => BodyBudgetBytes ?? (GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4);
}
