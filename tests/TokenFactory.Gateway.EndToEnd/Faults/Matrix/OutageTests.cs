using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Faults.Matrix;

/// <summary>
/// The matrix of faults: replicas under steady traffic, a fault in the middle, and afterwards what the clients were told, what was
/// admitted, settled, put out and delivered, what the backend saw and where the limits stand must agree request by request.
/// <see cref="MatrixRun"/> says how to run longer and how to repeat a round.
/// </summary>
[Collection(MatrixCollection.Name)]
public sealed class OutageTests(MatrixSite site, ITestOutputHelper output)
{
    public static TheoryData<string> Names => [.. Outages.All.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public Task P1_P2_P5_nothing_is_lost_doubled_or_over_admitted_when(string fault) => site.RunAsync(fault, Outages.All[fault], output);
}
