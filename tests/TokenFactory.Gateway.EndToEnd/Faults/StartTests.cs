using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using TokenFactory.TestKit.Processes;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Faults;

/// <summary>P12: a start either serves or says what is wrong, all of it, and ends with an exit code that is not zero.</summary>
public sealed partial class StartTests
{
    [Fact]
    public async Task P12_every_mistake_of_the_configuration_is_told_at_once_with_its_line()
    {
        using var folder = new TempFolder();
        var config = folder.Write("gateway.yaml", """
            providers:
              - { name: gpu, kind: telepathy }
            deployments:
              - name: llama
                provider: nobody
                endpoints: [not-a-url]
            tenants:
              - name: acme
                keys:
                  - { name: ci, project: missing, secret: a-literal-instead-of-a-reference }
            wrong_section: 1
            """);

        var ended = await GatewayProcess.RunAsync(["serve", "--config", config, "--data", folder.File("data"), "--urls", Free()]);

        Refused(ended);
        foreach (var line in (int[])[2, 5, 6, 10, 11])
        {
            Assert.Contains($"{config}:{line}:", ended.Error, StringComparison.Ordinal);
        }

        Assert.DoesNotContain("a-literal-instead-of-a-reference", ended.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder.File("data")), "a start that was refused left something behind");
    }

    [Fact]
    public async Task A_running_gateway_watches_no_folder_because_its_own_writes_would_wake_it()
    {
        await using var gateway = await GatewayProcess.StartAsync();

        var open = Directory.GetFileSystemEntries($"/proc/{gateway.ProcessId}/fd").Select(link => new FileInfo(link).LinkTarget).ToList();

        Assert.Contains(open, target => target?.EndsWith("gateway.db", StringComparison.Ordinal) == true);
        Assert.DoesNotContain("anon_inode:inotify", open);
    }

    [Fact]
    public async Task P12_a_file_that_is_no_yaml_and_a_file_that_is_not_there_are_refused()
    {
        using var folder = new TempFolder();
        var broken = folder.Write("broken.yaml", "tenants:\n  - name: [unclosed\n");

        var unreadable = await GatewayProcess.RunAsync(["serve", "--config", broken, "--data", folder.File("data"), "--urls", Free()]);
        var missing = await GatewayProcess.RunAsync(["serve", "--config", folder.File("absent.yaml"), "--data", folder.File("data"), "--urls", Free()]);

        Refused(unreadable);
        Assert.Contains($"{broken}:", unreadable.Error, StringComparison.Ordinal);
        Refused(missing);
        Assert.Contains("absent.yaml", missing.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task P12_a_second_gateway_on_the_same_data_is_refused_and_the_first_serves_on()
    {
        await using var first = await GatewayProcess.StartAsync();

        var second = await GatewayProcess.RunAsync(["serve", "--data", first.DataPath, "--urls", Free()]);

        Refused(second);
        Assert.Contains("Another gateway already serves", second.Error, StringComparison.Ordinal);
        Assert.Contains(first.DataPath, second.Error, StringComparison.Ordinal);
        Assert.Equal(200, await ChatAsync(first, first.Key));
    }

    [Fact]
    public async Task P12_a_port_that_is_taken_is_told_plainly()
    {
        using var folder = new TempFolder();
        using var taken = new TcpListener(IPAddress.Loopback, FreePort.Next());
        taken.Start();
        var url = $"http://{taken.LocalEndpoint}";

        var ended = await GatewayProcess.RunAsync(["serve", "--data", folder.File("data"), "--urls", url]);

        Refused(ended);
        Assert.Contains("in use", ended.Error, StringComparison.Ordinal);
        Assert.Contains("--urls", ended.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task P12_the_first_key_is_not_lost_by_a_first_start_that_found_its_port_taken()
    {
        using var folder = new TempFolder();
        using var taken = new TcpListener(IPAddress.Loopback, FreePort.Next());
        taken.Start();
        var ended = await GatewayProcess.RunAsync(["serve", "--data", folder.Path, "--urls", $"http://{taken.LocalEndpoint}"]);
        Refused(ended);

        await using var gateway = await GatewayProcess.StartAsync(new GatewayOptions { Data = folder });

        Assert.DoesNotMatch(KeyPattern(), gateway.Output.ToString());
        Assert.Equal(200, await ChatAsync(gateway, Assert.Single(KeyPattern().Matches(ended.Output)).Value));
    }

    [Fact]
    public async Task P12_a_data_directory_that_cannot_be_written_is_told_plainly()
    {
        using var folder = new TempFolder();
        var file = folder.Write("a-file", "");

        var ended = await GatewayProcess.RunAsync(["serve", "--data", System.IO.Path.Combine(file, "data"), "--urls", Free()]);

        Refused(ended);
        Assert.Contains("cannot be written", ended.Error, StringComparison.Ordinal);
        Assert.Contains("--data", ended.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task P12_an_upstream_that_does_not_answer_is_told_plainly()
    {
        using var folder = new TempFolder();
        var upstream = $"{Free()}/v1";

        var ended = await GatewayProcess.RunAsync(["serve", "--data", folder.File("data"), "--urls", Free(), "--upstream", upstream]);

        Refused(ended);
        Assert.Contains($"{upstream}/models", ended.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task P12_the_first_start_prints_one_key_and_a_line_that_works_when_pasted_and_the_second_prints_none()
    {
        await using var gateway = await GatewayProcess.StartAsync();

        var keys = gateway.Output.Lines.SelectMany(line => KeyPattern().Matches(line)).Select(match => match.Value).Distinct();
        Assert.Equal(gateway.Key, Assert.Single(keys));
        var curl = Assert.Single(gateway.Output.Lines, line => line.TrimStart().StartsWith("curl ", StringComparison.Ordinal));
        var (code, answer) = await BashAsync(curl);
        Assert.True(code == 0, answer);
        Assert.Contains("Hello", JsonNode.Parse(answer)!["choices"]![0]!["message"]!["content"]!.GetValue<string>(), StringComparison.Ordinal);

        Assert.Equal(0, await gateway.StopAsync());
        await gateway.StartAgainAsync();
        Assert.DoesNotMatch(KeyPattern(), gateway.Output.ToString());
        Assert.Equal(200, await ChatAsync(gateway, gateway.Key));
    }

    [Fact]
    public async Task Options_alone_mean_serve()
    {
        using var folder = new TempFolder();
        var file = folder.Write("a-file", "");

        var ended = await GatewayProcess.RunAsync(["--data", System.IO.Path.Combine(file, "data"), "--urls", Free()]);

        Refused(ended);
        Assert.Contains("cannot be written", ended.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Migrate_may_be_run_again_and_then_does_nothing()
    {
        using var folder = new TempFolder();

        var first = await GatewayProcess.RunAsync(["migrate", "--data", folder.Path]);
        var second = await GatewayProcess.RunAsync(["migrate", "--data", folder.Path]);

        Assert.True(first.ExitCode == 0, first.ToString());
        Assert.StartsWith("Applied ", first.Output, StringComparison.Ordinal);
        Assert.True(second.ExitCode == 0, second.ToString());
        Assert.Equal("The schema is up to date.", second.Output.Trim());
    }

    [Fact]
    public async Task A_key_made_beside_the_running_gateway_works_within_two_seconds_and_stops_as_quickly()
    {
        await using var gateway = await GatewayProcess.StartAsync();

        var made = await gateway.RunToEndAsync(["admin", "keys", "create", "--project", "default", "--name", "ci", "--data", gateway.DataPath]);
        Assert.True(made.ExitCode == 0, made.ToString());
        var key = made.Output.TrimEnd('\n');
        Assert.Matches($"^{KeyPattern()}$", key);
        await BecomesAsync(gateway, key, 200);

        var revoked = await gateway.RunToEndAsync(["admin", "keys", "revoke", key.Split('_')[1], "--data", gateway.DataPath]);
        Assert.True(revoked.ExitCode == 0, revoked.ToString());
        await BecomesAsync(gateway, key, 401);
    }

    private static string Free() => $"http://127.0.0.1:{FreePort.Next()}";

    private static void Refused(CommandResult ended)
    {
        Assert.True(ended.ExitCode != 0, ended.ToString());
        Assert.NotEmpty(ended.Error);
        Assert.DoesNotContain("   at ", ended.Error, StringComparison.Ordinal);
    }

    private static async Task BecomesAsync(GatewayProcess gateway, string key, int wanted)
    {
        var started = Stopwatch.GetTimestamp();
        int status;
        while ((status = await ChatAsync(gateway, key)) != wanted && Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(2))
        {
            await Task.Delay(50);
        }

        Assert.Equal(wanted, status);
    }

    private static async Task<int> ChatAsync(GatewayProcess gateway, string key)
    {
        using var client = new HttpClient { BaseAddress = gateway.BaseUrl };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return (await Caller.MakeAsync(client, new Plan("/v1/chat/completions", "loopback", "Hello", Stream: false, AsksUsage: false))).Status;
    }

    private static async Task<(int Code, string Output)> BashAsync(string line)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        using var bash = Process.Start(new ProcessStartInfo("bash", ["-c", line]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (answer, noise) = (bash.StandardOutput.ReadToEndAsync(limit.Token), bash.StandardError.ReadToEndAsync(limit.Token));
        await bash.WaitForExitAsync(limit.Token);
        return (bash.ExitCode, bash.ExitCode == 0 ? await answer : await noise);
    }

    [GeneratedRegex("tfk_[0-9A-Za-z]{8}_[0-9A-Za-z]{49}")]
    private static partial Regex KeyPattern();
}
