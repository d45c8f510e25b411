namespace TokenFactory.Inference.ModelAudit;

/// <summary>What is made of a sample.</summary>
internal static class Figures
{
    // Of fewer the clock's and the network's grain is the greater part.
    private const long FewestTokens = 16;

    /// <summary>Tokens per second: of a stream after its first byte, of a whole answer from the call on. Null where too little was written to tell.</summary>
    public static double? SpeedOf(in AnswerSample sample)
    {
        if (sample.Output is not >= FewestTokens)
        {
            return null;
        }

        var took = (sample.Duration - (sample.FirstByte ?? TimeSpan.Zero)).TotalSeconds;
        return took > 0 ? sample.Output.Value / took : null;
    }

    /// <summary>Tokens of one answer that the model ended; null for others.</summary>
    public static double? LengthOf(in AnswerSample sample) => sample is { EndedByItself: true, Output: > 0 and var output } ? (double)output / Math.Max(1, sample.Choices) : null;
}
