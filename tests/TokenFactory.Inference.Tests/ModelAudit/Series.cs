namespace TokenFactory.Inference.Tests.ModelAudit;

/// <summary>Samples as deployments give them, the same for the same seed.</summary>
internal sealed class Series(int seed)
{
    // Prompts of four lengths, each with its own usual time: four times as long takes about twice as long.
    private static readonly double[] _shares = [0.45, 0.3, 0.2, 0.05];

#pragma warning disable CA5394 // simulated, not secret
    private readonly Random _random = new(seed);
    private double _mood;

    public DateTimeOffset Now { get; private set; } = new(2026, 11, 22, 0, 0, 0, TimeSpan.Zero);

    public bool Chance(double share) => _random.NextDouble() < share;

    public int Class()
    {
        var drawn = _random.NextDouble();
        var at = 0;
        while (at < _shares.Length - 1 && drawn >= _shares[at])
        {
            drawn -= _shares[at++];
        }

        return at;
    }

    /// <summary>Lognormal with a long tail, in milliseconds.</summary>
    public double FirstToken(int ofClass, double spread = 0.8) => 120 * Math.Pow(2, ofClass) * Math.Exp(spread * Normal());

    /// <summary>A tail so heavy that there is no variance.</summary>
    public double Pareto(int ofClass) => 120 * Math.Pow(2, ofClass) * Math.Pow(1 - _random.NextDouble(), -1 / 1.5);

    /// <summary>As <see cref="FirstToken"/>, but each resembles the one before it.</summary>
    public double Moody(int ofClass, double alike, double spread = 0.8)
    {
        _mood = (alike * _mood) + (Math.Sqrt(1 - (alike * alike)) * Normal());
        return 120 * Math.Pow(2, ofClass) * Math.Exp(spread * _mood);
    }

    public DateTimeOffset Tick() => Now += TimeSpan.FromSeconds(1);

    private double Normal() => Math.Sqrt(-2 * Math.Log(1 - _random.NextDouble())) * Math.Cos(2 * Math.PI * _random.NextDouble());
#pragma warning restore CA5394
}
