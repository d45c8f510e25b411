using System.Collections.Frozen;
using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using TokenFactory.Administration.Requests;
using TokenFactory.Inference.Dispatch.Running;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Routes;
using TokenFactory.Storage.Audit;
using TokenFactory.Storage.Ledger;
using TokenFactory.Storage.Requests;

namespace TokenFactory.Administration.Tests.Requests;

public sealed class RequestEndpointsTests : IAsyncLifetime
{
    private static readonly string _cancel = $"/v1/requests/{RecordingHistory.Id:D}/cancel";

    private readonly RecordingHistory _history = new();
    private readonly HttpClient _client = new();
    private WebApplication? _app;
    private ApiKey? _caller = CallerOf("acme", "search");

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<IRequestHistory>(_history).AddSingleton<ICancellations>(_history).AddSingleton<IAuditTrail>(_history);
        builder.Services.AddSingleton(new RunningRequests()).AddSingleton(new SnapshotStore(TimeProvider.System, TimeSpan.FromMinutes(1)));
        _app = builder.Build();
        _app.MapRequests(_ => _caller);
        _app.MapCancellations(_ => _caller);
        await _app.StartAsync();
        _client.BaseAddress = new Uri(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
    }

    [Theory]
    [InlineData("/v1/requests", RequestStates.All, null)]
    [InlineData("/v1/requests?state=running", RequestStates.Running, null)]
    [InlineData("/v1/requests?state=cancelled&key=another1&model=m&limit=7&after=forged-elsewhere", RequestStates.All, Outcome.Cancelled)]
    public async Task P9_a_key_asks_about_its_own_project_whatever_the_request_says(string path, RequestStates states, Outcome? outcome)
    {
        await _client.GetAsync(path);

        var asked = Assert.Single(_history.Pages);
        Assert.Equal(("acme", "search", states, outcome), (asked.Filter.Tenant, asked.Filter.Project, asked.States, asked.Filter.Outcome));
    }

    [Theory]
    [InlineData("/v1/requests?tenant=globex", "tenant")]
    [InlineData("/v1/requests?state=finished", "state")]
    [InlineData("/v1/requests?outcome=cancelled", "outcome")]
    [InlineData("/v1/requests?limit=0", "limit")]
    [InlineData("/v1/requests?after=bad", "after")]
    [InlineData("/v1/requests?model=a&model=b", "model")]
    public async Task A_bad_parameter_is_named_with_what_it_accepts(string path, string parameter)
    {
        var response = await _client.GetAsync(path);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal(parameter, (await JsonAsync(response)).GetProperty("error").GetProperty("param").GetString());
    }

    [Fact]
    public async Task A_running_request_shows_what_is_known_and_names_no_deployment()
    {
        var view = await JsonAsync(await _client.GetAsync($"/v1/requests/{RecordingHistory.Id:D}"));

        Assert.Equal(("request", "running", true), (view.GetProperty("object").GetString(), view.GetProperty("state").GetString(), view.GetProperty("fallback").GetBoolean()));
        Assert.Equal(("estimated", 64, "0.0001752"), (
            view.GetProperty("usage").GetProperty("evidence").GetString(), view.GetProperty("usage").GetProperty("tokens").GetProperty("output").GetInt32(),
            view.GetProperty("usage").GetProperty("cost_usd").GetString()));
        Assert.Equal(("d1", "r1", "v3", "eu-only"), (
            view.GetProperty("decision").GetProperty("id").GetString(), view.GetProperty("decision").GetProperty("revision").GetString(),
            view.GetProperty("decision").GetProperty("bundle").GetString(), view.GetProperty("decision").GetProperty("rules")[0].GetString()));
        Assert.All(["llama-eu", "mixtral-eu", "llama-us"], name => Assert.DoesNotContain(name, view.GetRawText(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_wish_is_durable_before_it_is_told_as_taken_and_names_who_asked()
    {
        var response = await _client.PostAsync(_cancel, null);

        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        Assert.Equal("running", (await JsonAsync(response)).GetProperty("state").GetString());
        Assert.Equal((RecordingHistory.Id, "acme", "search", "abcdefgh"), Assert.Single(_history.Wishes));

        _history.IsDown = true;
        var down = await _client.PostAsync(_cancel, null);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "5"), (down.StatusCode, down.Headers.GetValues("retry-after").Single()));
    }

    [Theory]
    [InlineData(Outcome.Completed, null, "completed", 0)]
    [InlineData(Outcome.Cancelled, null, "cancelled", 0)]
    [InlineData(null, Outcome.Cancelled, "cancelled", 1)]
    public async Task What_has_ended_before_or_meanwhile_is_answered_with_how(Outcome? before, Outcome? meanwhile, string state, int wishes)
    {
        (_history.Outcome, _history.EndsWith) = (before, meanwhile);

        var response = await _client.PostAsync(_cancel, null);

        Assert.Equal((HttpStatusCode.OK, state, wishes), (response.StatusCode, (await JsonAsync(response)).GetProperty("state").GetString(), _history.Wishes.Count));
    }

    [Theory]
    [InlineData("globex", "search")]
    [InlineData("acme", "ads")]
    public async Task P9_another_project_is_told_that_there_is_none_and_asks_for_nothing(string tenant, string project)
    {
        _caller = CallerOf(tenant, project);

        var response = await _client.PostAsync(_cancel, null);

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Equal("not_found", (await JsonAsync(response)).GetProperty("error").GetProperty("code").GetString());
        Assert.Empty(_history.Wishes);
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _app!.DisposeAsync();
    }

    private static async Task<JsonElement> JsonAsync(HttpResponseMessage response) => JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;

    private static ApiKey CallerOf(string tenant, string project) => new()
    {
        Id = "abcdefgh",
        Name = "ci",
        Tenant = new Tenant(tenant),
        Project = new Project(project, null, ModelAllowList.All, LimitSet.None),
        Scopes = FrozenSet.Create(Scopes.RequestsRead, Scopes.RequestsCancel),
        Models = ModelAllowList.All,
        Limits = LimitSet.None,
    };
}
