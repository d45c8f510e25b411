using System.Net;
using System.Net.Http.Headers;
using TokenFactory.Gateway.EndToEnd.Faults;
using TokenFactory.TestKit.Data;
using TokenFactory.TestKit.Processes;
using TokenFactory.TestKit.Servers;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Moving;

/// <summary>The way an operator goes: stop, export, import, start the other; there and back, with the key that callers have.</summary>
public sealed class MovingTests : IDisposable
{
    private readonly TempFolder _there = new();
    private readonly TempFolder _back = new();
    private readonly TempFolder _files = new();

    public void Dispose()
    {
        _there.Dispose();
        _back.Dispose();
        _files.Dispose();
    }

    [Fact]
    public async Task P2_An_installation_that_was_moved_there_and_back_knows_its_keys_and_its_usage_and_bills_nothing_twice()
    {
        await using var postgres = await PostgresServer.StartAsync();
        var connection = postgres.ConnectionString(await postgres.NewDatabaseAsync());
        await using var first = await GatewayProcess.StartAsync(new GatewayOptions { Data = _there });
        var key = first.Key;
        await AskAsync(first, key);
        await AskAsync(first, key);
        Assert.Equal(0, await first.StopAsync());

        // Without the pepper no key would work, and the import says so before it begins.
        var file = _files.File("there.transfer");
        await RunAsync(["migrate", "export", "--data", _there.Path, "--out", file]);
        var shared = OnPostgres(connection, _there.File("pepper"));
        var strange = OnPostgres(connection, _files.Write("other", new string('p', 32)));
        var refused = await GatewayProcess.RunAsync(["migrate", "import", "--config", Config(strange), "--data", _files.Path, "--in", file], options: strange);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("digested under pepper v1, which is missing here or is another one", refused.Error, StringComparison.Ordinal);

        var imported = await RunAsync(["migrate", "import", "--config", Config(shared), "--data", _files.Path, "--in", file], shared);
        Assert.Matches(@"settlements +2 +ok", imported.Output);
        Assert.Contains("verify  settlements  2 rows", imported.Error, StringComparison.Ordinal);

        await using (var second = await GatewayProcess.StartAsync(shared))
        {
            await AskAsync(second, key);
            Assert.Equal(3, await RequestsAsync(second, key));
            Assert.Equal(0, await second.StopAsync());
            Assert.Single(new Books(second.DataPath, connection).Events());
        }

        var back = _files.File("back.transfer");
        await RunAsync(["migrate", "export", "--config", Config(shared), "--data", _files.Path, "--out", back], shared);
        File.Copy(_there.File("pepper"), _back.File("pepper"));
        await RunAsync(["migrate", "import", "--data", _back.Path, "--in", back]);
        await using var third = await GatewayProcess.StartAsync(new GatewayOptions { Data = _back });
        await AskAsync(third, key);
        Assert.Equal(4, await RequestsAsync(third, key));
        Assert.Equal(0, await third.StopAsync());
        Assert.Single(new Books(_back.Path).Events());
    }

    [Fact]
    public async Task A_file_that_is_there_already_is_not_overwritten_and_a_failure_leaves_none()
    {
        var file = _files.Write("taken", "precious");
        await RunAsync(["migrate", "--data", _there.Path]);

        var taken = await GatewayProcess.RunAsync(["migrate", "export", "--data", _there.Path, "--out", file]);
        var nothing = await GatewayProcess.RunAsync(["migrate", "--data", _back.Path, "export", "--out", _files.File("none")]);

        Assert.Equal((1, 1), (taken.ExitCode, nothing.ExitCode));
        Assert.Contains("exists already", taken.Error, StringComparison.Ordinal);
        Assert.Contains(_back.Path, nothing.Error, StringComparison.Ordinal);
        Assert.Equal("precious", await File.ReadAllTextAsync(file));
        Assert.Equal([file], Directory.GetFiles(_files.Path));
    }

    [Fact]
    public async Task A_file_that_cannot_be_imported_ends_with_an_exit_code_and_a_reason()
    {
        var refused = await GatewayProcess.RunAsync(["migrate", "import", "--data", _there.Path, "--in", "-"], input: "this is no such file");

        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("no file that 'gateway migrate export' wrote", refused.Error, StringComparison.Ordinal);
    }

    private static GatewayOptions OnPostgres(string connection, string pepper) => new()
    {
        Environment = new Dictionary<string, string?> { ["GATEWAY_POSTGRES"] = connection },
        Config = $"store: {{ kind: postgres, connection: env:GATEWAY_POSTGRES }}\niam: {{ pepper: \"file:{pepper}\" }}\n",
    };

    private string Config(GatewayOptions options) => _files.Write("gateway.yaml", options.Config!);

    private static async Task<CommandResult> RunAsync(IEnumerable<string> arguments, GatewayOptions? options = null)
    {
        var ended = await GatewayProcess.RunAsync(arguments, options: options);
        Assert.True(ended.ExitCode == 0, ended.ToString());
        return ended;
    }

    private static async Task AskAsync(GatewayProcess gateway, string key)
    {
        using var client = Client(gateway, key);
        using var content = new ByteArrayContent(The.ChatRequest("loopback", "alpha beta"));
        content.Headers.ContentType = new("application/json");
        using var answer = await client.PostAsync("/v1/chat/completions", content);
        Assert.True(answer.StatusCode == HttpStatusCode.OK, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>As the ledger's own summary tells this key's project.</summary>
    private static async Task<long> RequestsAsync(GatewayProcess gateway, string key)
    {
        using var client = Client(gateway, key);
        using var usage = System.Text.Json.JsonDocument.Parse(await client.GetStringAsync("/v1/usage?group_by=key"));
        return usage.RootElement.GetProperty("data").EnumerateArray().Sum(static group => group.GetProperty("requests").GetInt64());
    }

    private static HttpClient Client(GatewayProcess gateway, string key)
    {
        var client = gateway.NewClient();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return client;
    }
}
