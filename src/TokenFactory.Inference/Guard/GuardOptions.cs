namespace TokenFactory.Inference.Guard;

public sealed record GuardOptions
{
    /// <summary>Input tokens of any request, whatever its tier; null leaves it to tiers and models.</summary>
    public long? MaxInputTokens { get; init; }
}
