using System.Collections.Frozen;
using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using TokenFactory.Administration.Usage;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Routes;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Administration.Tests.Usage;

public sealed class UsageEndpointsTests : IAsyncLifetime
{
    private readonly RecordingLedger _ledger = new();
    private readonly HttpClient _client = new();
    private WebApplication? _app;
    private ApiKey? _caller = CallerOf("acme", "search", Scopes.UsageRead);

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<IUsageLedger>(_ledger);
        _app = builder.Build();
        _app.MapUsage(_ => _caller);
        await _app.StartAsync();
        _client.BaseAddress = new Uri(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
    }

    [Theory]
    [InlineData("/v1/usage")]
    [InlineData("/v1/usage?key=another1&model=m")]
    [InlineData("/v1/usage/logs")]
    [InlineData("/v1/usage/logs?key=another1&after=forged-elsewhere")]
    public async Task P9_a_key_asks_about_its_own_project_whatever_the_request_says(string path)
    {
        await _client.GetAsync(path);

        var filter = Assert.Single(_ledger.Asked);
        Assert.Equal(("acme", "search"), (filter.Tenant, filter.Project));
    }

    [Theory]
    [InlineData("/v1/usage?tenant=globex", "tenant")]
    [InlineData("/v1/usage?project=ads", "project")]
    [InlineData("/v1/usage?group_by=day,user", "group_by")]
    [InlineData("/v1/usage?group_by=project", "group_by")]
    [InlineData("/v1/usage?from=yesterday", "from")]
    [InlineData("/v1/usage?from=2026-02-01&until=2026-01-01", "until")]
    [InlineData("/v1/usage?model=a&model=b", "model")]
    [InlineData("/v1/usage/logs?limit=0", "limit")]
    [InlineData("/v1/usage/logs?limit=1001", "limit")]
    [InlineData("/v1/usage/logs?outcome=done", "outcome")]
    [InlineData("/v1/usage/logs?after=bad", "after")]
    public async Task A_bad_parameter_is_named_with_what_it_accepts(string path, string parameter)
    {
        var response = await _client.GetAsync(path);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        var error = (await JsonAsync(response)).GetProperty("error");
        Assert.Equal("invalid_request_error", error.GetProperty("type").GetString());
        Assert.Equal(parameter, error.GetProperty("param").GetString());
        Assert.Equal(JsonValueKind.Null, error.GetProperty("code").ValueKind);
        Assert.StartsWith(parameter + ": ", error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_the_scope_the_answer_is_403_and_without_a_caller_401()
    {
        _caller = CallerOf("acme", "search", Scopes.Chat);
        Assert.Equal(HttpStatusCode.Forbidden, (await _client.GetAsync("/v1/usage")).StatusCode);
        _caller = null;
        Assert.Equal(HttpStatusCode.Unauthorized, (await _client.GetAsync("/v1/usage/logs")).StatusCode);
        Assert.Empty(_ledger.Asked);
    }

    [Fact]
    public async Task A_summary_holds_disjoint_tokens_their_totals_and_exact_money()
    {
        var list = await JsonAsync(await _client.GetAsync("/v1/usage?group_by=day,model&from=2026-11-01"));

        Assert.Equal("list", list.GetProperty("object").GetString());
        Assert.False(list.GetProperty("has_more").GetBoolean());
        var total = list.GetProperty("data")[0];
        Assert.Equal("2026-11-20", total.GetProperty("day").GetString());
        Assert.False(total.TryGetProperty("key_id", out _));
        Assert.Equal(812, total.GetProperty("tokens").GetProperty("input_uncached").GetInt64());
        Assert.Equal(1012, total.GetProperty("tokens").GetProperty("input").GetInt64());
        Assert.Equal(1076, total.GetProperty("tokens").GetProperty("total").GetInt64());
        Assert.Equal(175_200, total.GetProperty("cost_nano_usd").GetInt64());
        Assert.Equal("0.0001752", total.GetProperty("cost_usd").GetString());
        Assert.Equal(UsageGrouping.Day | UsageGrouping.Model, _ledger.GroupedBy);
    }

    [Fact]
    public async Task A_page_of_logs_says_whether_there_is_more_and_where()
    {
        var page = await JsonAsync(await _client.GetAsync("/v1/usage/logs?outcome=client_cut&limit=1"));

        Assert.True(page.GetProperty("has_more").GetBoolean());
        Assert.Equal("cursor", page.GetProperty("next").GetString());
        Assert.Equal("client_cut", page.GetProperty("data")[0].GetProperty("outcome").GetString());
        Assert.Equal(Outcome.ClientCut, _ledger.Asked[0].Outcome);
        Assert.DoesNotContain("llama-eu", page.ToString(), StringComparison.Ordinal);
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _app!.DisposeAsync();
    }

    private static async Task<JsonElement> JsonAsync(HttpResponseMessage response) =>
        JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;

    private static ApiKey CallerOf(string tenant, string project, string scope) => new()
    {
        Id = "abcdefgh",
        Name = "ci",
        Tenant = new Tenant(tenant),
        Project = new Project(project, null, ModelAllowList.All, LimitSet.None),
        Scopes = FrozenSet.Create(scope),
        Models = ModelAllowList.All,
        Limits = LimitSet.None,
    };
}
