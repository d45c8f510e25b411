using System.Text.Json;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Ledger;
using TokenFactory.Storage.Requests;
using TokenFactory.TestKit.Contracts;
using Xunit;

namespace TokenFactory.Storage.Tests.Requests;

/// <summary>What every store shows of requests that run and that have ended, and how it carries the wish that one be stopped.</summary>
public abstract class RequestHistoryContract : IAsyncLifetime
{
    private static readonly UsageFilter _acme = new() { Tenant = "acme", Project = "search" };

    private StoreUnderTest _store = null!;

    private protected abstract Task<StoreUnderTest> OpenAsync();

    /// <summary>One whose steps before a settlement are events.</summary>
    private protected abstract Task<StoreUnderTest> OpenTellingAsync();

    public async ValueTask InitializeAsync() => _store = await OpenAsync();

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task What_runs_and_what_has_ended_are_one_list_newest_first_and_pages_neither_skip_nor_repeat()
    {
        List<Guid> all = [];
        for (var number = 0; number < 12; number++)
        {
            var admission = await AdmitAsync(at: Ago(seconds: 12 - (number / 3)));
            all.Add(admission.RequestId);
            if (number % 2 == 0)
            {
                await _store.Journal.SettleOnceAsync(SomeRequest.Settlement(admission));
            }
        }

        List<Guid> seen = [];
        for (string? cursor = null; ;)
        {
            var page = await _store.Requests.PageAsync(_acme, RequestStates.All, cursor, 5, default);
            seen.AddRange(page.Records.Select(record => record.RequestId));
            Assert.Equal(page.Records.OrderByDescending(record => record.AcceptedAt).Select(record => record.RequestId), page.Records.Select(record => record.RequestId));
            if ((cursor = page.Next) is null)
            {
                break;
            }
        }

        Assert.Equal(all.Order(), seen.Order());
        Assert.Equal(6, (await PageAsync(RequestStates.Running)).Count(record => record.Outcome is null));
        Assert.Equal(6, (await PageAsync(RequestStates.Ended)).Count(record => record.Outcome is Outcome.Completed));
        Assert.Equal(6, (await _store.Requests.PageAsync(_acme with { Outcome = Outcome.Completed }, RequestStates.All, null, 100, default)).Records.Count);
        Assert.Empty((await _store.Requests.PageAsync(_acme with { Outcome = Outcome.Cancelled }, RequestStates.All, null, 100, default)).Records);
    }

    [Fact]
    public async Task A_request_that_has_run_for_long_is_still_found_once_it_was_noted_and_shows_its_usage_so_far()
    {
        var old = await AdmitAsync(at: Ago(seconds: 3600));
        var elsewhere = SomeRequest.Placement with { Deployment = "second", Provider = "gpu-eu-2" };
        _store.Journal.Note(new Checkpoint(old.RequestId, elsewhere, Evidence.Counted, new TokenUsage(100, 0, 0, 10, 0)));
        await AdmitAsync();

        var records = await PageAsync(RequestStates.Running);

        Assert.Equal(2, records.Count);
        var running = Assert.Single(records, record => record.RequestId == old.RequestId);
        Assert.Equal(("gpu-eu-2", "llama-eu", Evidence.Counted), (running.Provider, running.FirstDeployment, running.Evidence!.Value));
        Assert.Equal(new TokenUsage(100, 0, 0, 10, 0), running.Tokens);
        Assert.Equal(SomeRequest.Price.CostNanoUsd(running.Tokens), running.CostNanoUsd);
        Assert.NotNull(running.NotedAt);
    }

    [Fact]
    public async Task An_ended_request_shows_how_with_its_attempts_its_decision_and_what_was_adjusted()
    {
        const string Policy = """{"revision":"r1","bundle":"v3","rules":["eu-only"]}""";
        var admission = await AdmitAsync(policy: Policy);
        var settlement = SomeRequest.Settlement(admission) with { Outcome = Outcome.Orphaned, Evidence = Evidence.Estimated, Tokens = new TokenUsage(5, 0, 0, 0, 0) };
        await _store.Journal.SettleOnceAsync(settlement);
        var known = SomeRequest.Settlement(admission);
        await _store.Journal.SettleOnceAsync(known);

        var record = await _store.Requests.FindAsync(admission.RequestId, "acme", "search", default);

        Assert.NotNull(record);
        Assert.Equal((Outcome.Orphaned, true, known.Tokens, known.CostNanoUsd), (record.Outcome!.Value, record.Adjusted, record.Tokens, record.CostNanoUsd));
        Assert.Equal(("decision-1", Policy), (record.PolicyDecisionId, record.Policy));
        Assert.Equal((1, "gpu-eu", 200, TimeSpan.FromMilliseconds(380)), (record.Attempts[0].Ordinal, record.Attempts[0].Provider, record.Attempts[0].Status, record.Attempts[0].Duration));
        Assert.Equal((1, 41.2, 380.5), (record.AttemptsMade, record.TimeToFirstTokenMs, record.DurationMs));
    }

    [Fact]
    public async Task P9_Of_another_tenant_or_project_nothing_is_listed_found_or_stopped()
    {
        var running = await AdmitAsync();
        var ended = await AdmitAsync();
        await _store.Journal.SettleOnceAsync(SomeRequest.Settlement(ended));

        foreach (var (tenant, project) in new[] { ("globex", "search"), ("acme", "ads") })
        {
            Assert.Empty((await _store.Requests.PageAsync(new UsageFilter { Tenant = tenant, Project = project }, RequestStates.All, null, 10, default)).Records);
            Assert.Null(await _store.Requests.FindAsync(running.RequestId, tenant, project, default));
            Assert.Null(await _store.Requests.FindAsync(ended.RequestId, tenant, project, default));
            await _store.Cancellations.RequestAsync(running.RequestId, tenant, project, "k3f9aaaa", default);
        }

        Assert.Empty(await _store.Cancellations.PendingAsync(_store.InstanceId, default));
        Assert.NotNull(await _store.Requests.FindAsync(running.RequestId, tenant: null, project: null, default));
    }

    [Fact]
    public async Task A_wish_that_a_request_be_stopped_reaches_its_instance_alone_and_leaves_with_the_settlement()
    {
        var running = await AdmitAsync();

        await _store.Cancellations.RequestAsync(running.RequestId, "acme", "search", "k3f9aaaa", default);
        await _store.Cancellations.RequestAsync(running.RequestId, "acme", "search", "another1", default);

        Assert.Equal([running.RequestId], await _store.Cancellations.PendingAsync(_store.InstanceId, default));
        Assert.Empty(await _store.Cancellations.PendingAsync(Ids.New(TimeProvider.System), default));
        Assert.NotNull((await _store.Requests.FindAsync(running.RequestId, "acme", "search", default))!.CancelRequestedAt);

        await _store.Journal.SettleOnceAsync(SomeRequest.Settlement(running) with { Outcome = Outcome.Cancelled });

        Assert.Empty(await _store.Cancellations.PendingAsync(_store.InstanceId, default));
        Assert.Equal(Outcome.Cancelled, (await _store.Requests.FindAsync(running.RequestId, "acme", "search", default))!.Outcome);
    }

    [Fact]
    public async Task P10_A_wish_for_what_has_ended_or_never_was_leaves_nothing_behind()
    {
        var ended = await AdmitAsync();
        await _store.Journal.SettleOnceAsync(SomeRequest.Settlement(ended));

        await _store.Cancellations.RequestAsync(ended.RequestId, "acme", "search", "k3f9aaaa", default);
        await _store.Cancellations.RequestAsync(Ids.New(TimeProvider.System), "acme", "search", "k3f9aaaa", default);
        Assert.Equal(0, await _store.CountAsync("cancellations"));

        // One that slipped in beside the settlement.
        var late = await AdmitAsync();
        await _store.Cancellations.RequestAsync(late.RequestId, tenant: null, project: null, keyId: null, default);
        await _store.TamperAsync("UPDATE cancellations SET request_id = (SELECT request_id FROM settlements)");
        Assert.Equal(1, await _store.CountAsync("cancellations"));
        await _store.Cancellations.ForgetSettledAsync(default);
        Assert.Equal(0, await _store.CountAsync("cancellations"));
    }

    [Fact]
    public async Task P2_What_a_dead_process_was_asked_to_stop_is_settled_as_an_orphan_and_the_wish_is_gone()
    {
        var running = await AdmitAsync();
        await _store.Cancellations.RequestAsync(running.RequestId, "acme", "search", "k3f9aaaa", default);
        await using var next = (StoreUnderTest)await _store.AfterCrashAsync();

        Assert.Equal(1, await next.Orphans.SettleAsync());

        Assert.Equal(0, await next.CountAsync("cancellations"));
        Assert.Equal(Outcome.Orphaned, (await next.Requests.FindAsync(running.RequestId, "acme", "search", default))!.Outcome);
    }

    [Fact]
    public async Task P2_When_it_is_asked_for_each_step_is_one_event_in_its_order_and_before_the_settlements()
    {
        await using var telling = await OpenTellingAsync();
        var admission = SomeRequest.Admission(telling.InstanceId);
        await Task.WhenAll(telling.Journal.AdmitAsync(admission), telling.Journal.AdmitAsync(admission));
        await telling.Journal.AdmitAsync(admission);
        await telling.Cancellations.RequestAsync(admission.RequestId, "globex", "search", "stranger", default);
        for (var again = 0; again < 2; again++)
        {
            await telling.Cancellations.RequestAsync(admission.RequestId, "acme", "search", "k3f9aaaa", default);
        }

        await telling.Journal.SettleOnceAsync(SomeRequest.Settlement(admission) with { Outcome = Outcome.Cancelled });
        await telling.Cancellations.RequestAsync(admission.RequestId, "acme", "search", "k3f9aaaa", default);

        var events = (await telling.OutboxAsync()).Select(message => (message.EventId, message.Type, Event: JsonDocument.Parse(message.Body).RootElement)).ToList();
        Assert.Equal(["tokenfactory.request.v1", "tokenfactory.request.v1", "tokenfactory.usage.v1"], events.Select(one => one.Type));
        Assert.Equal(["admitted", "cancel_requested"], events.Take(2).Select(one => one.Event.GetProperty("data").GetProperty("step").GetString()));
        Assert.Equal("k3f9aaaa", events[1].Event.GetProperty("data").GetProperty("requested_by").GetString());
        Assert.All(events, one => Assert.Equal(one.EventId, one.Event.GetProperty("id").GetGuid()));
        Assert.Equal(3, events.Select(one => one.EventId).Distinct().Count());

        // Nobody else pays for it.
        await _store.Journal.AdmitAsync(SomeRequest.Admission(_store.InstanceId));
        Assert.Empty(await _store.OutboxAsync());
    }

    private async Task<Admission> AdmitAsync(DateTimeOffset? at = null, string? policy = null)
    {
        var admission = SomeRequest.Admission(_store.InstanceId, acceptedAt: at) with { Policy = policy };
        if (at is { } moment)
        {
            admission = admission with { RequestId = Ids.New(new ShiftedClock(moment - TimeProvider.System.GetUtcNow())) };
        }

        await _store.Journal.AdmitAsync(admission);
        return admission;
    }

    private async Task<IReadOnlyList<RequestRecord>> PageAsync(RequestStates states) => (await _store.Requests.PageAsync(_acme, states, null, 100, default)).Records;

    private static DateTimeOffset Ago(double seconds) => TimeProvider.System.GetUtcNow() - TimeSpan.FromSeconds(seconds);
}
