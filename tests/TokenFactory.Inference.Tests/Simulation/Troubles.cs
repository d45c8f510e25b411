namespace TokenFactory.Inference.Tests.Simulation;

/// <summary>How likely each fault is in one run. Most runs have only some of them: all at once hide what two of them do.</summary>
internal sealed class Troubles(Random random)
{
    public double ReplyLost { get; } = Draw(random, 0.15);

    public double WriteFails { get; } = Draw(random, 0.15);

    /// <summary>A write that was given up is carried out later.</summary>
    public double WrittenLater { get; } = Draw(random, 0.1);

    public double EntryRefused { get; } = Draw(random, 0.02);

    public double OpenFails { get; } = Draw(random, 0.4);

    public double SlowWrite { get; } = Draw(random, 0.1);

    public double Kill { get; } = Draw(random, 0.01);

    public double Freeze { get; } = Draw(random, 0.01);

    public double ClockJump { get; } = Draw(random, 0.01);

    public double BeatSkipped { get; } = Draw(random, 0.5);

    public double ReadFails { get; } = Draw(random, 0.15);

    public double SinkFails { get; } = Draw(random, 0.3);

    public double SinkTakesAndFails { get; } = Draw(random, 0.3);

    public double SinkHangs { get; } = Draw(random, 0.1);

    public double Poison { get; } = Draw(random, 0.1);

    public double CursorLost { get; } = Draw(random, 0.3);

    private static double Draw(Random random, double most) => random.Next(3) switch
    {
        0 => most * random.NextDouble(),
        1 => most / 8 * random.NextDouble(),
        _ => 0,
    };
}
