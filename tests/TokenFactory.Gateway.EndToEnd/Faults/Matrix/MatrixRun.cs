using System.Globalization;

namespace TokenFactory.Gateway.EndToEnd.Faults.Matrix;

/// <summary>
/// How a run of the matrix was asked for, by the environment. GATEWAY_FAULT_SEED: the seed of each fault's first round, drawn and
/// printed otherwise; each next round's is one higher. GATEWAY_FAULT_ROUNDS (1): rounds of each fault. GATEWAY_FAULT_FROZEN (5):
/// for how many seconds what is frozen or silent stays so.
/// </summary>
internal static class MatrixRun
{
    public static int Seed { get; } = Number("GATEWAY_FAULT_SEED", Random.Shared.Next(1_000_000));

    public static int Rounds { get; } = Number("GATEWAY_FAULT_ROUNDS", 1);

    public static TimeSpan Frozen { get; } = TimeSpan.FromSeconds(Number("GATEWAY_FAULT_FROZEN", 5));

    private static int Number(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : otherwise;
}
