using System.Text.Json;
using TokenFactory.TestKit.Data;
using TokenFactory.TestKit.Processes;
using TokenFactory.TestKit.Upstream;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Path;

/// <summary>The model audit on the whole path: what a backend does unasked is found, told and shown; what the operator did is not.</summary>
public sealed class ModelAuditTests(ModelAuditTests.Backend backend) : IClassFixture<ModelAuditTests.Backend>
{
    private const int Usual = 110;

    [Fact]
    public async Task A_swapped_model_is_an_event_a_metric_a_log_line_and_a_row_of_the_table()
    {
        await AskAsync(Usual, "watched");
        (backend.Upstream.ReportedModel, backend.Upstream.Fingerprint) = ("cheaper-model", "fp_swapped");
        await AskAsync(6, "watched");

        var events = await backend.EventsAsync(all => Flags(all).Count() >= 2);
        var flags = Flags(events).ToDictionary(data => data.GetProperty("kind").GetString()!);
        Assert.Equal(["model", "system_fingerprint"], flags.Keys.Order());
        Assert.Equal(("upstream-model", "cheaper-model"), (flags["model"].GetProperty("before").GetString(), flags["model"].GetProperty("after").GetString()));
        Assert.Equal(("fp_fake", "fp_swapped"), (flags["system_fingerprint"].GetProperty("before").GetString(), flags["system_fingerprint"].GetProperty("after").GetString()));

        var metrics = await backend.Client.GetStringAsync(new Uri("/metrics", UriKind.Relative));
        Assert.Contains("""tokenfactory_model_audit_flags{deployment="watched",kind="model"} 1""", metrics, StringComparison.Ordinal);
        Assert.Contains("watched is not what it was: model changed from upstream-model to cheaper-model", backend.Gateway.Output.ToString(), StringComparison.Ordinal);

        var shown = await ShownAsync("watched", audit => audit.GetProperty("models").GetArrayLength() == 2);
        Assert.Equal(["upstream-model", "cheaper-model"], shown.GetProperty("models").EnumerateArray().Select(one => one.GetProperty("name").GetString()));
        Assert.Equal(2, shown.GetProperty("flags").GetArrayLength());
        var table = await RunAsync("admin", "models", "audit", "--deployment", "watched");
        Assert.Contains("DEPLOYMENT", table.Output, StringComparison.Ordinal);
        Assert.Contains("cheaper-model", table.Output, StringComparison.Ordinal);
        Assert.Contains("holds", table.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Errors_refusals_and_figures_are_each_deployments_own_and_quotas_and_bad_requests_are_nobodys()
    {
        backend.Other.Next(Scripts.Get("ContentFilterOfAzure"), Scripts.Get("BadRequestOfVllm"), Scripts.Get("TooManyRequests"));
        await AskAsync(3, "figures");
        await AskAsync(4, "figures", stream: true);
        backend.Other.Next(Scripts.Get("ServerError"));
        await AskAsync(1, "figures");

        var shown = await ShownAsync("figures", audit => audit.GetProperty("requests").GetInt64() >= 6);
        Assert.Equal((6, 1, 1), (shown.GetProperty("requests").GetInt64(), shown.GetProperty("errors").GetInt64(), shown.GetProperty("refusals").GetInt64()));
        Assert.Equal(4, shown.GetProperty("time_to_first_token_ms").GetProperty("of").GetInt64());
        Assert.InRange(shown.GetProperty("output_tokens").GetProperty("p50").GetDouble(), 3.8, 4.2);
        Assert.Empty(shown.GetProperty("flags").EnumerateArray());
    }

    [Fact]
    public async Task A_window_that_is_none_is_refused_with_what_to_write()
    {
        var refused = await RunAsync("admin", "models", "audit", "--window", "forever");

        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("--window: write a duration", refused.Error, StringComparison.Ordinal);
    }

    private static IEnumerable<JsonElement> Flags(IReadOnlyList<JsonElement> events) =>
        events.Where(one => one.GetProperty("type").GetString() == "tokenfactory.model_audit.v1").Select(one => one.GetProperty("data"));

    private Task<CommandResult> RunAsync(params string[] arguments) => backend.Gateway.RunToEndAsync([.. arguments, "--data", backend.Gateway.DataPath]);

    private async Task AskAsync(int times, string model, bool stream = false)
    {
        for (var index = 0; index < times; index++)
        {
            await backend.ChatAsync(The.ChatRequest(model, stream: stream));
        }
    }

    private async Task<JsonElement> ShownAsync(string deployment, Func<JsonElement, bool> until)
    {
        for (var attempt = 0; attempt < 60; attempt++)
        {
            var told = await RunAsync("admin", "models", "audit", "--json", "--deployment", deployment);
            Assert.True(told.ExitCode == 0, told.Error);
            var audits = JsonDocument.Parse(told.Output).RootElement.GetProperty("deployments");
            if (audits.GetArrayLength() == 1 && until(audits[0]))
            {
                return audits[0];
            }

            await Task.Delay(250);
        }

        throw new TimeoutException($"The audit of {deployment} never showed what was asked for:\n{backend.Gateway.Output}");
    }

    public sealed class Backend : PathGateway
    {
        protected override string Config => $$"""
            sinks: [ { name: events, kind: file, path: events.jsonl, events: [usage, model_audit] } ]
            providers: [ { name: gpu, kind: openai } ]
            deployments:
              - { name: watched, provider: gpu, endpoints: ["{{Upstream.BaseUrl}}"], model: upstream-model, health: { path: "false" } }
              - { name: figures, provider: gpu, endpoints: ["{{Other.BaseUrl}}"], model: upstream-model, max_rest: 0s, health: { path: "false" } }
              - { name: rest, provider: gpu, endpoints: ["{{Upstream.BaseUrl}}"], health: { path: "false" } }
            models:
              - { name: watched, deployments: [ { use: watched } ] }
              - { name: figures, deployments: [ { use: figures } ] }
              - { match: "*", deployments: [ { use: rest } ] }
            """;
    }
}
