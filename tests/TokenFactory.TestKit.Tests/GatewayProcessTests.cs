using TokenFactory.TestKit.Processes;
using Xunit;

namespace TokenFactory.TestKit.Tests;

/// <summary>The fixture's mechanics, on a stub that has the gateway's outside.</summary>
public sealed class GatewayProcessTests
{
    private static readonly GatewayOptions _stub = new() { Program = Path.Combine(AppContext.BaseDirectory, "stub.dll") };

    [Fact]
    public async Task It_starts_prints_a_key_and_stops_in_order()
    {
        await using var gateway = await GatewayProcess.StartAsync(_stub with { Environment = new Dictionary<string, string?> { ["SOME_NAME"] = "some value" } });
        using var client = gateway.NewClient();

        Assert.StartsWith("tfk_abcdEFGH_", gateway.Key, StringComparison.Ordinal);
        Assert.Equal("some value", await client.GetStringAsync(new Uri("/env/SOME_NAME", UriKind.Relative)));
        Assert.Equal(0, await gateway.StopAsync());
        Assert.Contains("stopped in order", gateway.Output.Lines);
    }

    [Fact]
    public async Task It_comes_back_on_its_data_and_port_after_a_kill()
    {
        await using var gateway = await GatewayProcess.StartAsync(_stub);
        var (key, first) = (gateway.Key, gateway.ProcessId);

        await gateway.KillAsync();
        Assert.True(gateway.HasExited);
        Assert.DoesNotContain("stopped in order", gateway.Output.Lines);
        await gateway.StartAgainAsync();

        Assert.NotEqual(first, gateway.ProcessId);
        Assert.Equal(key, gateway.Key);
        Assert.Empty(gateway.Output.Lines);
    }

    [Fact]
    public async Task A_paused_process_says_nothing_until_it_is_resumed()
    {
        await using var gateway = await GatewayProcess.StartAsync(_stub);
        using var client = gateway.NewClient();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));

        await gateway.PauseAsync();
        var answer = client.GetStringAsync(new Uri("/health/ready", UriKind.Relative), limit.Token);
        await Task.Delay(200, limit.Token);
        Assert.False(answer.IsCompleted);
        await gateway.ResumeAsync();

        Assert.Equal("ready", await answer);
    }

    [Fact]
    public async Task A_start_that_fails_says_what_the_process_said()
    {
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => GatewayProcess.StartAsync(_stub with { Arguments = ["--broken"] }));

        Assert.Contains("ended with 1", failure.Message, StringComparison.Ordinal);
        Assert.Contains("err| the configuration is broken", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Its_own_data_goes_with_it_and_a_given_folder_stays()
    {
        using var data = new TempFolder();
        string own;
        await using (var first = await GatewayProcess.StartAsync(_stub))
        {
            own = first.DataPath;
        }

        await using (await GatewayProcess.StartAsync(_stub with { Data = data }))
        {
        }

        Assert.False(Directory.Exists(own));
        Assert.True(File.Exists(data.File("started")));
    }

    [Fact]
    public async Task A_command_runs_to_its_end_with_its_input()
    {
        var good = await GatewayProcess.RunAsync(["admin", "keys"], "typed", _stub);
        var bad = await GatewayProcess.RunAsync(["fail"], options: _stub);

        Assert.Equal((0, "admin keys|typed\n", "to the error stream\n"), (good.ExitCode, good.Output, good.Error));
        Assert.Equal(3, bad.ExitCode);
    }

    [Fact]
    public void Free_ports_are_below_the_range_of_outgoing_connections_and_never_repeat()
    {
        var ports = Enumerable.Range(0, 200).Select(_ => FreePort.Next()).ToList();

        Assert.All(ports, port => Assert.InRange(port, 1024, 32767));
        Assert.Distinct(ports);
    }
}
