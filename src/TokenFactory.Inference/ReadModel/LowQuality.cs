namespace TokenFactory.Inference.ReadModel;

/// <summary>When a deployment whose answers are of no use is passed over, and for how long.</summary>
public sealed record LowQuality
{
    /// <summary>Which flaws make an answer one of low quality.</summary>
    public required AnswerFlaws Counts { get; init; }

    /// <summary>The share of such answers within the window, above 0 and at most 1.</summary>
    public double Ratio { get; init; } = 0.5;

    /// <summary>Answers within the window before the share says anything.</summary>
    public int MinimumAnswers { get; init; } = 20;

    public TimeSpan Window { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long it is passed over; the next answer after that decides whether again.</summary>
    public TimeSpan Rest { get; init; } = TimeSpan.FromMinutes(5);
}

/// <summary>Why an answer that is whole is of no use.</summary>
[Flags]
public enum AnswerFlaws
{
    None = 0,

    /// <summary>It ended by itself and says nothing: no text, no reasoning, no tool call.</summary>
    Empty = 1,

    /// <summary>The model or its provider's filter refused for policy's sake.</summary>
    Refused = 2,

    /// <summary>It has not the form that <c>/v1/infer</c> was asked to hold it to.</summary>
    Invalid = 4,
}
