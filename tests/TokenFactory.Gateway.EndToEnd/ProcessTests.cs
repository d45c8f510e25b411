using TokenFactory.TestKit.Processes;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd;

public sealed class ProcessTests
{
    [Fact]
    public async Task The_gateway_runs_as_a_process_of_its_own()
    {
        var version = await GatewayProcess.RunAsync(["version"]);

        Assert.True(version.ExitCode == 0, version.ToString());
        Assert.NotEmpty(version.Output);
    }
}
