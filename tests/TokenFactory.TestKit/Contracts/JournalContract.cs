using System.Text.Json;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Ledger;
using Xunit;

namespace TokenFactory.TestKit.Contracts;

/// <summary>What every store's journal promises. Each implementation's tests derive from this and only say how to make one.</summary>
public abstract class JournalContract
{
    private static readonly UsageFilter _acme = new() { Tenant = "acme" };
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    /// <param name="queueCapacity">Null is the store's own default.</param>
    protected abstract Task<JournalUnderTest> OpenAsync(int? queueCapacity = null);

    [Fact]
    public async Task P1_What_was_acknowledged_is_there_after_a_crash()
    {
        await using var store = await OpenAsync();
        var admissions = Enumerable.Range(0, 200).Select(_ => SomeRequest.Admission(store.InstanceId)).ToArray();
        await Task.WhenAll(admissions.Select(store.Journal.AdmitAsync));
        await Task.WhenAll(admissions.Take(120).Select(one => store.Journal.SettleOnceAsync(SomeRequest.Settlement(one))));

        await using var after = await store.AfterCrashAsync();

        Assert.Equal(200, await after.CountAsync("admissions"));
        Assert.Equal(120, await after.CountAsync("settlements"));
        Assert.Equal(120, await after.CountAsync("audit_records"));
        Assert.Equal(120, await after.CountAsync("outbox"));
    }

    [Fact]
    public async Task P1_A_crash_in_the_middle_of_the_work_loses_nothing_acknowledged()
    {
        await using var store = await OpenAsync();
        var acknowledged = new System.Collections.Concurrent.ConcurrentDictionary<Guid, bool>();
        using var stop = new CancellationTokenSource();
        var callers = Enumerable.Range(0, 16).Select(async _ =>
        {
            await Task.Yield();
            while (!stop.IsCancellationRequested)
            {
                var admission = SomeRequest.Admission(store.InstanceId);
                await store.Journal.AdmitAsync(admission);
                await store.Journal.SettleOnceAsync(SomeRequest.Settlement(admission));
                acknowledged[admission.RequestId] = true;
            }
        }).ToArray();
        while (acknowledged.Count < 100)
        {
            await Task.Delay(5);
        }

        var before = acknowledged.Keys.ToArray();
        await using var after = await store.AfterCrashAsync();
        await stop.CancelAsync();
        await Task.WhenAll(callers);

        var kept = (await after.OutboxAsync()).Select(message => message.EventId).ToHashSet();
        Assert.DoesNotContain(before, id => !kept.Contains(id));
        await after.Orphans.SettleAsync();
        Assert.Equal(await after.CountAsync("admissions"), await after.CountAsync("settlements"));
        Assert.Equal(await after.CountAsync("settlements"), await after.CountAsync("outbox"));
    }

    [Fact]
    public async Task P2_A_second_settlement_changes_nothing_and_succeeds()
    {
        await using var store = await OpenAsync();
        var admission = SomeRequest.Admission(store.InstanceId);
        await store.Journal.AdmitAsync(admission);
        await store.Journal.SettleOnceAsync(SomeRequest.Settlement(admission));
        var first = Assert.Single(await store.OutboxAsync());

        await store.Journal.SettleOnceAsync(SomeRequest.Settlement(admission, output: 9999));

        var still = Assert.Single(await store.OutboxAsync());
        Assert.Equal(first.Body.ToArray(), still.Body.ToArray());
        Assert.Equal(64, Assert.Single((await store.Ledger.PageAsync(_acme, null, 10, default)).Records).Tokens.Output);
        Assert.Equal(1, await store.CountAsync("audit_records"));
    }

    [Fact]
    public async Task P2_Racing_settlements_of_one_request_leave_one_event()
    {
        await using var store = await OpenAsync();
        var admission = SomeRequest.Admission(store.InstanceId);
        await store.Journal.AdmitAsync(admission);

        await Task.WhenAll(Enumerable.Range(0, 50).Select(n => store.Journal.SettleOnceAsync(SomeRequest.Settlement(admission, output: n))));

        Assert.Equal(admission.RequestId, Assert.Single(await store.OutboxAsync()).EventId);
        Assert.Equal(1, await store.CountAsync("settlements"));
    }

    [Fact]
    public async Task P2_P3_What_was_settled_as_an_orphan_is_adjusted_once_by_who_knows_better()
    {
        await using var store = await OpenAsync();
        var admission = SomeRequest.Admission(store.InstanceId);
        await store.Journal.AdmitAsync(admission);
        await using var after = await store.AfterCrashAsync();
        Assert.Equal(1, await after.Orphans.SettleAsync());

        // The process was not dead but asleep.
        var known = SomeRequest.Settlement(admission);
        await after.Journal.SettleOnceAsync(known);
        await after.Journal.SettleOnceAsync(known);
        await after.Orphans.SettleAsync();

        Assert.Equal(1, await after.CountAsync("settlements"));
        var events = await after.OutboxAsync();
        Assert.Equal([admission.RequestId], events.Take(1).Select(one => one.EventId));
        var adjustment = Assert.Single(events.Skip(1));
        Assert.NotEqual(admission.RequestId, adjustment.EventId);
        using var orphan = JsonDocument.Parse(events[0].Body);
        using var adjusted = JsonDocument.Parse(adjustment.Body);
        Assert.Equal(adjustment.EventId, adjusted.RootElement.GetProperty("id").GetGuid());
        Assert.Equal(admission.RequestId, adjusted.RootElement.GetProperty("data").GetProperty("adjusts").GetGuid());
        Assert.Equal("completed", adjusted.RootElement.GetProperty("data").GetProperty("outcome").GetString());
        Assert.Equal(known.Tokens, Sum(orphan, adjusted));
        Assert.Equal(known.CostNanoUsd, CostOf(orphan) + CostOf(adjusted));

        // Every view of usage agrees with the events, however it is cut.
        var record = Assert.Single((await after.Ledger.PageAsync(_acme, null, 10, default)).Records);
        Assert.Equal((Outcome.Orphaned, true, known.Tokens, known.CostNanoUsd), (record.Outcome, record.Adjusted, record.Tokens, record.CostNanoUsd));
        foreach (var filter in (UsageFilter[])[_acme, _acme with { From = admission.AcceptedAt, Until = admission.AcceptedAt.AddSeconds(1) }, _acme with { Outcome = Outcome.Orphaned }])
        {
            var total = Assert.Single(await after.Ledger.SummariseAsync(filter, UsageGrouping.Day, default));
            Assert.Equal((1L, known.Tokens, known.CostNanoUsd), (total.Requests, total.Tokens, total.CostNanoUsd));
        }

        var spend = Assert.Single(await after.Ledger.SpendSinceAsync(admission.AcceptedAt.AddDays(-1), default));
        Assert.Equal((known.Tokens.Total, known.CostNanoUsd), (spend.Tokens, spend.CostNanoUsd));
    }

    [Fact]
    public async Task P2_An_orphan_is_never_an_adjustment()
    {
        await using var store = await OpenAsync();
        var admission = SomeRequest.Admission(store.InstanceId);
        await store.Journal.AdmitAsync(admission);
        await store.Journal.SettleOnceAsync(SomeRequest.Settlement(admission));

        await store.Journal.SettleOnceAsync(SomeRequest.Settlement(admission, output: 0) with { Outcome = Outcome.Orphaned });

        Assert.Single(await store.OutboxAsync());
    }

    [Fact]
    public async Task P2_A_late_settlement_closes_what_was_admitted_and_leaves_no_record_of_what_was_not()
    {
        await using var store = await OpenAsync();
        var (admitted, unknown) = (SomeRequest.Admission(store.InstanceId), SomeRequest.Admission(store.InstanceId));
        await store.Journal.AdmitAsync(admitted);

        await Task.WhenAll(store.Journal.SettleLateAsync(Nothing(admitted)), store.Journal.SettleLateAsync(Nothing(unknown)));
        Assert.Equal(admitted.RequestId, Assert.Single(await store.OutboxAsync()).EventId);
        Assert.Equal(1, await store.CountAsync("settlements"));

        // It was under way to the store all the same.
        await store.Journal.AdmitAsync(unknown);
        await store.Journal.SettleLateAsync(Nothing(unknown));
        Assert.Equal([admitted.RequestId, unknown.RequestId], (await store.OutboxAsync()).Select(one => one.EventId));
    }

    [Fact]
    public async Task P2_P3_A_late_settlement_adjusts_what_was_written_and_told_to_nobody()
    {
        await using var store = await OpenAsync();
        var admission = SomeRequest.Admission(store.InstanceId);
        await store.Journal.AdmitAsync(admission);
        await store.Journal.SettleOnceAsync(SomeRequest.Settlement(admission));

        await store.Journal.SettleLateAsync(Nothing(admission));
        await store.Journal.SettleLateAsync(Nothing(admission));

        var events = await store.OutboxAsync();
        Assert.Equal(2, events.Count);
        using var settled = JsonDocument.Parse(events[0].Body);
        using var adjusted = JsonDocument.Parse(events[1].Body);
        Assert.Equal(TokenUsage.Zero, Sum(settled, adjusted));
        Assert.Equal(0, CostOf(settled) + CostOf(adjusted));
        Assert.Equal("known_zero", adjusted.RootElement.GetProperty("data").GetProperty("evidence").GetString());
        Assert.Equal(1, await store.CountAsync("settlements"));
    }

    [Fact]
    public async Task Entries_are_written_in_the_order_they_were_handed_over()
    {
        await using var store = await OpenAsync();
        var admissions = Enumerable.Range(0, 300).Select(_ => SomeRequest.Admission(store.InstanceId)).ToArray();

        List<Task> waits = [];
        foreach (var admission in admissions)
        {
            waits.Add(store.Journal.AdmitAsync(admission));
            waits.Add(store.Journal.SettleOnceAsync(SomeRequest.Settlement(admission)));
        }

        await Task.WhenAll(waits);
        var outbox = await store.OutboxAsync();
        Assert.Equal(admissions.Select(one => one.RequestId), outbox.Select(message => message.EventId));
        Assert.True(outbox.Zip(outbox.Skip(1)).All(pair => pair.First.Seq < pair.Second.Seq));
    }

    [Fact]
    public async Task P10_A_full_queue_sheds_new_work_at_once_and_still_takes_closings()
    {
        await using var store = await OpenAsync(queueCapacity: 8);
        await using var hold = await store.HoldAsync();
        var waiting = new List<Task>();
        while (store.Journal.IsWritable)
        {
            waiting.Add(store.Journal.AdmitAsync(SomeRequest.Admission(store.InstanceId)));
            await Task.Delay(1);
        }

        var refused = store.Journal.AdmitAsync(SomeRequest.Admission(store.InstanceId));
        Assert.True(refused.IsCompleted);
        await Assert.ThrowsAsync<JournalUnavailableException>(() => refused);
        waiting.Add(store.Journal.SettleOnceAsync(SomeRequest.Settlement(SomeRequest.Admission(store.InstanceId))));

        await hold.DisposeAsync();
        await Task.WhenAll(waiting).WaitAsync(_patience);
        Assert.True(store.Journal.IsWritable);
    }

    [Fact]
    public async Task P1_A_failed_commit_fails_its_waiters_and_the_journal_heals_by_itself()
    {
        await using var store = await OpenAsync();
        await using (await store.BreakAsync())
        {
            var admissions = Enumerable.Range(0, 5).Select(_ => store.Journal.AdmitAsync(SomeRequest.Admission(store.InstanceId))).ToArray();
            foreach (var admission in admissions)
            {
                await Assert.ThrowsAsync<JournalUnavailableException>(() => admission.WaitAsync(_patience));
            }

            Assert.False(store.Journal.IsWritable);
            var refused = store.Journal.AdmitAsync(SomeRequest.Admission(store.InstanceId));
            Assert.True(refused.IsFaulted);
            await Assert.ThrowsAsync<JournalUnavailableException>(() => refused);
        }

        await UntilAsync(() => store.Journal.IsWritable);
        await store.Journal.AdmitAsync(SomeRequest.Admission(store.InstanceId)).WaitAsync(_patience);
        Assert.Equal(1, await store.CountAsync("admissions"));
    }

    [Fact]
    public async Task One_bad_entry_fails_alone()
    {
        await using var store = await OpenAsync();
        await using var hold = await store.HoldAsync();
        var good = Enumerable.Range(0, 20).Select(_ => store.Journal.AdmitAsync(SomeRequest.Admission(store.InstanceId))).ToList();
        var bad = store.Journal.AdmitAsync(SomeRequest.Admission(store.InstanceId) with { Tenant = null! });
        var worse = store.Journal.AdmitAsync(SomeRequest.Admission(store.InstanceId) with { Placement = null! });
        var settled = SomeRequest.Admission(store.InstanceId);
        good.Add(store.Journal.AdmitAsync(settled));
        good.Add(store.Journal.SettleOnceAsync(SomeRequest.Settlement(settled)));
        await hold.DisposeAsync();

        await Task.WhenAll(good).WaitAsync(_patience);
        await Assert.ThrowsAsync<JournalUnavailableException>(() => bad.WaitAsync(_patience));
        await Assert.ThrowsAsync<JournalUnavailableException>(() => worse.WaitAsync(_patience));
        Assert.True(store.Journal.IsWritable);
        Assert.Equal(21, await store.CountAsync("admissions"));
        Assert.Equal(settled.RequestId, Assert.Single((await store.Ledger.PageAsync(_acme, null, 10, default)).Records).RequestId);
    }

    [Fact]
    public async Task P1_P2_A_quick_settlement_counts_only_with_its_admission()
    {
        await using var store = await OpenAsync();
        await using var hold = await store.HoldAsync();
        var refused = SomeRequest.Admission(store.InstanceId);
        var refusal = store.Journal.AdmitAsync(refused with { Tenant = null! });
        var settledWithout = store.Journal.SettleOnceAsync(SomeRequest.Settlement(refused), refusal);
        var taken = SomeRequest.Admission(store.InstanceId);
        var admitted = store.Journal.AdmitAsync(taken);
        var settled = store.Journal.SettleOnceAsync(SomeRequest.Settlement(taken), admitted);
        await hold.DisposeAsync();

        await Task.WhenAll(settledWithout, admitted, settled).WaitAsync(_patience);
        await Assert.ThrowsAsync<JournalUnavailableException>(() => refusal.WaitAsync(_patience));
        Assert.Equal(taken.RequestId, Assert.Single((await store.Ledger.PageAsync(_acme, null, 10, default)).Records).RequestId);
        Assert.Single(await store.OutboxAsync());
    }

    [Fact]
    public async Task P2_An_orphan_is_settled_once_from_its_last_checkpoint()
    {
        await using var store = await OpenAsync();
        var running = SomeRequest.Admission(store.InstanceId);
        var silent = SomeRequest.Admission(store.InstanceId);
        var closed = SomeRequest.Admission(store.InstanceId);
        var elsewhere = SomeRequest.Placement with { Deployment = "llama-us", Price = SomeRequest.Price with { Id = "price-2", OutputNanoUsd = 1_000_000_000 } };
        await Task.WhenAll(store.Journal.AdmitAsync(running), store.Journal.AdmitAsync(silent), store.Journal.AdmitAsync(closed));
        store.Journal.Note(new Checkpoint(running.RequestId, elsewhere, Evidence.Counted, new TokenUsage(100, 0, 0, 10, 0)));
        store.Journal.Note(new Checkpoint(running.RequestId, elsewhere, Evidence.Reported, new TokenUsage(100, 0, 0, 50, 5)));
        await store.Journal.SettleOnceAsync(SomeRequest.Settlement(closed));

        await using var after = await store.AfterCrashAsync();
        Assert.Equal(2, await after.Orphans.SettleAsync());
        Assert.Equal(0, await after.Orphans.SettleAsync());

        var records = (await after.Ledger.PageAsync(_acme, null, 10, default)).Records.ToDictionary(record => record.RequestId);
        Assert.Equal(Outcome.Orphaned, records[running.RequestId].Outcome);
        Assert.Equal(Evidence.Reported, records[running.RequestId].Evidence);
        Assert.Equal(new TokenUsage(100, 0, 0, 50, 5), records[running.RequestId].Tokens);
        Assert.Equal("llama-us", records[running.RequestId].Deployment);
        Assert.Equal("price-2", records[running.RequestId].PriceId);
        Assert.Equal(65_000, records[running.RequestId].CostNanoUsd);
        Assert.Equal(Evidence.Estimated, records[silent.RequestId].Evidence);
        Assert.Equal(new TokenUsage(321, 0, 0, 0, 0), records[silent.RequestId].Tokens);
        Assert.Equal(48_150, records[silent.RequestId].CostNanoUsd);
        Assert.Equal(Outcome.Completed, records[closed.RequestId].Outcome);
        Assert.Equal(3, await after.CountAsync("outbox"));
        Assert.Equal(0, await after.CountAsync("checkpoints"));
    }

    [Fact]
    public async Task P2_A_running_request_of_this_instance_is_no_orphan()
    {
        await using var store = await OpenAsync();
        var admission = SomeRequest.Admission(store.InstanceId);
        await store.Journal.AdmitAsync(admission);

        Assert.Equal(0, await store.Orphans.SettleAsync());
        Assert.Equal(0, await store.CountAsync("settlements"));
    }

    [Fact]
    public async Task A_checkpoint_that_comes_after_the_settlement_leaves_nothing_behind()
    {
        await using var store = await OpenAsync();
        var admission = SomeRequest.Admission(store.InstanceId);
        await store.Journal.AdmitAsync(admission);
        await store.Journal.SettleOnceAsync(SomeRequest.Settlement(admission));
        store.Journal.Note(new Checkpoint(admission.RequestId, admission.Placement, Evidence.Counted, TokenUsage.Zero));
        await store.Journal.AdmitAsync(SomeRequest.Admission(store.InstanceId));

        Assert.Equal(0, await store.CountAsync("checkpoints"));
    }

    [Fact]
    public async Task Closing_writes_what_was_handed_over_and_refuses_what_comes_later()
    {
        await using var store = await OpenAsync();
        var waits = Enumerable.Range(0, 2000).Select(_ => store.Journal.AdmitAsync(SomeRequest.Admission(store.InstanceId))).ToArray();

        await store.DisposeAsync();

        Assert.All(waits, wait => Assert.True(wait.IsCompletedSuccessfully));
        Assert.False(store.Journal.IsWritable);
        await Assert.ThrowsAsync<JournalUnavailableException>(() => store.Journal.AdmitAsync(SomeRequest.Admission(store.InstanceId)));
    }

    private static Settlement Nothing(Admission admission) =>
        SomeRequest.Settlement(admission) with { Outcome = Outcome.Failed, Evidence = Evidence.KnownZero, Tokens = TokenUsage.Zero };

    private static TokenUsage Sum(JsonDocument one, JsonDocument other)
    {
        return new(Of("input_uncached"), Of("cache_read"), Of("cache_write"), Of("output"), Of("reasoning"));

        long Of(string name) => In(one, name) + In(other, name);

        static long In(JsonDocument document, string name) => document.RootElement.GetProperty("data").GetProperty("tokens").GetProperty(name).GetInt64();
    }

    private static long CostOf(JsonDocument document) => document.RootElement.GetProperty("data").GetProperty("cost_nano_usd").GetInt64();

    private static async Task UntilAsync(Func<bool> condition)
    {
        for (var waited = TimeSpan.Zero; !condition() && waited < _patience; waited += TimeSpan.FromMilliseconds(20))
        {
            await Task.Delay(20);
        }

        Assert.True(condition());
    }
}
