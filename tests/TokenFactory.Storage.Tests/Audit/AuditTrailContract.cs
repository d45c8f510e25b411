using System.Text;
using System.Text.Json;
using TokenFactory.Storage.Audit;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Ledger;
using TokenFactory.Storage.Outbox;
using TokenFactory.TestKit.Contracts;
using Xunit;

namespace TokenFactory.Storage.Tests.Audit;

/// <summary>What every store's audit trail proves. Each implementation's tests derive from this and only say how to make one.</summary>
public abstract class AuditTrailContract : IAsyncLifetime
{
    private static readonly AuditFilter _everything = new() { Tenant = null };

    private StoreUnderTest _store = null!;

    private protected abstract Task<StoreUnderTest> OpenAsync();

    public async ValueTask InitializeAsync() => _store = await OpenAsync();

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task P11_Settlements_of_many_batches_make_one_chain_without_a_finding()
    {
        for (var round = 0; round < 5; round++)
        {
            await _store.SettleAsync(40);
        }

        var report = await VerifyAsync();

        Assert.Empty(report.Findings);
        Assert.Equal(200, report.Records);
        var end = Assert.Single(await _store.Trail.ChainsAsync(default), end => end.Chain == _store.InstanceId);
        Assert.Equal(200, end.Sequence);
        Assert.Equal(Enumerable.Range(1, 200), (await AllAsync()).Select(record => (int)record.Sequence).Order());
    }

    [Fact]
    public async Task P2_A_settlement_whose_record_cannot_be_written_leaves_no_part_of_itself()
    {
        await _store.RefuseRecordsOfAsync("refused");
        var settlement = SomeRequest.Settlement(SomeRequest.Admission(_store.InstanceId) with { Project = "refused" });

        var others = _store.SettleAsync(30);
        await Assert.ThrowsAsync<JournalUnavailableException>(() => _store.Journal.SettleOnceAsync(settlement));
        await others;

        Assert.Equal(30, await _store.CountAsync("settlements"));
        Assert.Equal(30, await _store.CountAsync("outbox"));
        Assert.Equal((30, 0), (await VerifyAsync()) is var report ? (report.Records, report.Findings.Count) : default);
    }

    [Fact]
    public async Task P11_A_gateway_at_work_is_no_finding()
    {
        var writing = WriteAsync();
        var looks = 0;
        do
        {
            Assert.Empty((await VerifyAsync()).Findings);
            looks++;
        }
        while (!writing.IsCompleted);

        await writing;
        Assert.True(looks > 1);

        async Task WriteAsync()
        {
            for (var round = 0; round < 40; round++)
            {
                await _store.SettleAsync(25);
            }
        }
    }

    [Fact]
    public async Task P11_What_was_settled_before_there_was_a_trail_is_no_finding_though_an_orphan_of_before_is_the_first_in_it()
    {
        var orphan = SomeRequest.Admission(_store.InstanceId);
        await _store.Journal.AdmitAsync(orphan);
        await Task.Delay(5);
        var anHourAgo = TimeProvider.System.GetUtcNow().AddHours(-1);
        for (var settled = 0; settled < 3; settled++)
        {
            await _store.Journal.SettleOnceAsync(SomeRequest.Settlement(SomeRequest.Admission(_store.InstanceId, acceptedAt: anHourAgo)));
        }

        await _store.TamperAsync("DELETE FROM audit_records; DELETE FROM audit_chains");
        await using var next = (StoreUnderTest)await _store.AfterCrashAsync();
        Assert.Equal(1, await next.Orphans.SettleAsync());

        var report = await next.Verifier.VerifyAsync([], null, default);

        Assert.Equal(1, report.Records);
        Assert.Empty(report.Findings);
    }

    [Fact]
    public async Task P11_A_record_says_where_a_request_ran_under_which_rules_and_what_was_tried()
    {
        var admission = SomeRequest.Admission(_store.InstanceId) with { Policy = """{"revision":"r1","bundle":"v3","rules":["eu-only"],"excluded":[{"deployment":"llama-us","reason":"residency"}]}""" };
        await _store.Journal.AdmitAsync(admission);
        await _store.Journal.SettleOnceAsync(SomeRequest.Settlement(admission) with
        {
            Attempts =
            [
                new Attempt(1, "mixtral-eu", "gpu-eu-2", "eu-north-1", 503, "backend_unavailable", admission.AcceptedAt, TimeSpan.FromMilliseconds(12.5)),
                new Attempt(2, "llama-eu", "gpu-eu", "eu-west-1", 200, null, admission.AcceptedAt, TimeSpan.FromMilliseconds(380)),
            ],
        });

        var record = Assert.Single(await AllAsync());

        Assert.Equal((admission.RequestId, AuditKind.Request, "acme", "search"), (record.Id, record.Kind, record.Tenant, record.Project));
        using var body = JsonDocument.Parse(record.Body);
        var data = body.RootElement.GetProperty("data");
        Assert.Equal("eu-only", data.GetProperty("policy").GetProperty("rules")[0].GetString());
        Assert.Equal("llama-us", data.GetProperty("policy").GetProperty("excluded")[0].GetProperty("deployment").GetString());
        Assert.Equal(("gpu-eu", "eu-west-1", "3.1"), (data.GetProperty("provider").GetString(), data.GetProperty("region").GetString(), data.GetProperty("upstream_version").GetString()));
        var attempts = body.RootElement.GetProperty("attempts");
        Assert.Equal(("backend_unavailable", 503, 12.5), (attempts[0].GetProperty("error").GetString(), attempts[0].GetProperty("status").GetInt32(), attempts[0].GetProperty("duration_ms").GetDouble()));
        Assert.Equal(JsonValueKind.Null, attempts[1].GetProperty("error").ValueKind);
    }

    [Fact]
    public async Task P6_The_policys_decision_is_in_the_event_too_and_survives_the_process_that_took_it()
    {
        const string Policy = """{"revision":"r1","bundle":"v3","rules":["eu-only"]}""";
        await _store.Journal.AdmitAsync(SomeRequest.Admission(_store.InstanceId) with { Policy = Policy });
        await using var next = (StoreUnderTest)await _store.AfterCrashAsync();

        Assert.Equal(1, await next.Orphans.SettleAsync());

        var record = Assert.Single(await next.Trail.PageAsync(_everything, null, 10, default));
        Assert.Equal(next.InstanceId, record.Chain);
        Assert.Contains($"\"policy\":{Policy}", Encoding.UTF8.GetString(record.Body), StringComparison.Ordinal);
        Assert.Contains($"\"policy\":{Policy}", Encoding.UTF8.GetString(Assert.Single(await next.OutboxAsync()).Body.Span), StringComparison.Ordinal);
        Assert.Empty((await next.Verifier.VerifyAsync([], null, default)).Findings);
    }

    [Fact]
    public async Task P2_What_is_settled_again_gets_no_second_record_and_an_adjustment_gets_one()
    {
        var admission = SomeRequest.Admission(_store.InstanceId);
        await _store.Journal.AdmitAsync(admission);
        await _store.Journal.SettleOnceAsync(SomeRequest.Settlement(admission) with { Outcome = Outcome.Orphaned, Tokens = new TokenUsage(1, 0, 0, 0, 0) });
        for (var again = 0; again < 3; again++)
        {
            await _store.Journal.SettleOnceAsync(SomeRequest.Settlement(admission));
        }

        var kinds = (await AllAsync()).OrderBy(record => record.Sequence).Select(record => record.Kind);

        Assert.Equal([AuditKind.Request, AuditKind.Adjustment], kinds);
        Assert.Empty((await VerifyAsync()).Findings);
    }

    [Fact]
    public async Task P6_A_denial_is_on_record_once_and_costs_nothing()
    {
        var denial = SomeRequest.Denial(_store.InstanceId);
        await Task.WhenAll(_store.Journal.RecordAsync(denial), _store.Journal.RecordAsync(denial), _store.SettleAsync(3));
        await _store.Journal.RecordAsync(denial);

        var record = Assert.Single(await AllAsync(), record => record.Kind == AuditKind.Denial);

        var body = Encoding.UTF8.GetString(record.Body);
        Assert.Contains(denial.Policy!, body, StringComparison.Ordinal);
        Assert.Contains("\"status\":403,\"error\":\"policy_denied\"", body, StringComparison.Ordinal);
        Assert.Equal(3, await _store.CountAsync("settlements"));
        await _store.UntilRelayableAsync();
        var outbox = await _store.OutboxAsync();
        Assert.Equal(3, outbox.Count(one => one.Type == RecordedEvent.Usage));
        var told = Assert.Single(outbox, one => one.Type == RecordedEvent.Denial);
        Assert.Equal(denial.RequestId, told.EventId);
        Assert.EndsWith($"\"data\":{body}}}", Encoding.UTF8.GetString(told.Body.Span), StringComparison.Ordinal);
        Assert.Empty((await VerifyAsync()).Findings);
    }

    [Fact]
    public async Task P2_A_denial_is_told_once_though_it_is_recorded_again_when_its_event_is_long_gone()
    {
        var denials = Enumerable.Range(0, 20).Select(_ => SomeRequest.Denial(_store.InstanceId)).ToArray();
        await Task.WhenAll(denials.Select(_store.Journal.RecordAsync));
        await _store.UntilRelayableAsync();
        Assert.Equal(denials.Select(one => one.RequestId).Order(), (await _store.OutboxAsync()).Select(one => one.EventId).Order());
        await _store.TamperAsync("DELETE FROM outbox");

        await Task.WhenAll(denials.Select(_store.Journal.RecordAsync));

        Assert.Equal(0, await _store.CountAsync("outbox"));
        Assert.Equal(20, (await AllAsync()).Count);
        Assert.Empty((await VerifyAsync()).Findings);
    }

    [Fact]
    public async Task P11_A_denial_that_is_refused_leaves_neither_record_nor_event()
    {
        var refused = SomeRequest.Denial(_store.InstanceId) with { Project = null! };
        var good = SomeRequest.Denial(_store.InstanceId);
        var other = _store.Journal.RecordAsync(good);

        await Assert.ThrowsAsync<JournalUnavailableException>(() => _store.Journal.RecordAsync(refused));
        await other;

        await _store.UntilRelayableAsync();
        Assert.Equal(good.RequestId, Assert.Single(await _store.OutboxAsync()).EventId);
        Assert.Equal(good.RequestId, Assert.Single(await AllAsync()).Id);
        Assert.Empty((await VerifyAsync()).Findings);
    }

    [Fact]
    public async Task P11_An_entry_that_is_refused_leaves_no_gap_in_the_chain()
    {
        await _store.SettleAsync(2);
        var refused = SomeRequest.Settlement(SomeRequest.Admission(_store.InstanceId) with { Model = null! });
        var others = _store.SettleAsync(3);

        await Assert.ThrowsAsync<JournalUnavailableException>(() => _store.Journal.SettleOnceAsync(refused));
        await others;
        await _store.SettleAsync(2);

        var report = await VerifyAsync();
        Assert.Empty(report.Findings);
        Assert.Equal(7, report.Records);
    }

    [Fact]
    public async Task P11_A_chain_goes_on_where_it_ended_when_the_store_was_away()
    {
        await _store.SettleAsync(3);
        await using (await _store.BreakAsync())
        {
            await Assert.ThrowsAsync<JournalUnavailableException>(() => _store.SettleAsync(1));
        }

        await UntilWritableAsync();
        await _store.SettleAsync(3);

        var report = await VerifyAsync();
        Assert.Empty(report.Findings);
        Assert.InRange(report.Records, 6, 7);
    }

    [Theory]
    [InlineData("UPDATE audit_records SET body = {0} WHERE sequence = 4", "its hash is not")]
    [InlineData("UPDATE audit_records SET tenant = 'other' WHERE sequence = 4", "its columns are not")]
    [InlineData("UPDATE audit_records SET recorded_at = (SELECT min(settled_at) FROM settlements) WHERE sequence = 4", "its columns are not")]
    [InlineData("DELETE FROM audit_records WHERE sequence = 3", "1 records before it are gone")]
    [InlineData("UPDATE audit_records SET sequence = CASE sequence WHEN 4 THEN 5 ELSE 4 END + 100 WHERE sequence IN (4, 5); UPDATE audit_records SET sequence = sequence - 100 WHERE sequence > 100", "its hash is not")]
    [InlineData("UPDATE settlements SET output = output + 1 WHERE request_id = (SELECT record_id FROM audit_records WHERE sequence = 4)", "the ledger's settlement is not")]
    [InlineData("UPDATE settlements SET outcome = 99 WHERE request_id = (SELECT record_id FROM audit_records WHERE sequence = 4)", "the ledger's settlement is not")]
    [InlineData("UPDATE settlements SET region = 'us-east-1' WHERE request_id = (SELECT record_id FROM audit_records WHERE sequence = 4)", "the ledger's settlement is not")]
    [InlineData("UPDATE audit_records SET previous = hash WHERE sequence = 4", "the hash it says it follows")]
    [InlineData("UPDATE audit_records SET body = {1} WHERE sequence = 4", "its hash is not")]
    [InlineData("DELETE FROM settlements WHERE request_id = (SELECT record_id FROM audit_records WHERE sequence = 4)", "the ledger has no settlement")]
    public async Task P11_What_is_edited_removed_or_moved_is_found_at_its_record(string sql, string what)
    {
        await SettleOneByOneAsync(9);

        await _store.TamperAsync(sql.Replace("{0}", "(SELECT body FROM audit_records WHERE sequence = 1)", StringComparison.Ordinal).Replace("{1}", "'nonsense'", StringComparison.Ordinal));

        var first = (await VerifyAsync()).Findings[0];
        Assert.Equal((_store.InstanceId, 4), (first.Chain, first.Sequence));
        Assert.Contains(what, first.What, StringComparison.Ordinal);
    }

    [Fact]
    public async Task P11_An_adjustment_that_was_changed_in_the_ledger_is_found()
    {
        var admission = SomeRequest.Admission(_store.InstanceId);
        await _store.Journal.AdmitAsync(admission);
        await _store.Journal.SettleOnceAsync(SomeRequest.Settlement(admission) with { Outcome = Outcome.Orphaned, Tokens = new TokenUsage(1, 0, 0, 0, 0) });
        await _store.Journal.SettleOnceAsync(SomeRequest.Settlement(admission));
        await _store.TamperAsync("UPDATE adjustments SET cost_nano_usd = 0");

        Assert.Equal("the ledger's adjustment is not what its body says", Assert.Single((await VerifyAsync()).Findings).What);
    }

    [Fact]
    public async Task P11_A_chain_that_lost_its_end_says_so()
    {
        await SettleOneByOneAsync(9);
        await _store.TamperAsync("DELETE FROM audit_records WHERE sequence > 6");

        var findings = (await VerifyAsync()).Findings;

        Assert.Contains(findings, finding => finding.Sequence == 9 && finding.What.Contains("3 records at its end are gone", StringComparison.Ordinal));
        Assert.Equal(3, findings.Count(finding => finding.What == "the request was settled and has no record"));
    }

    [Fact]
    public async Task P11_Whoever_takes_the_end_away_with_its_requests_is_found_by_what_was_told_before()
    {
        await _store.SettleAsync(9);
        var told = await _store.Trail.ChainsAsync(default);
        var sixth = (await AllAsync()).Single(record => record.Sequence == 6);
        await _store.TamperAsync(
            $"""
            DELETE FROM settlements WHERE request_id IN (SELECT record_id FROM audit_records WHERE sequence > 6);
            DELETE FROM audit_records WHERE sequence > 6;
            UPDATE audit_chains SET sequence = 6, hash = (SELECT hash FROM audit_records WHERE record_id = (SELECT record_id FROM audit_records WHERE sequence = 6))
            """);

        Assert.Empty((await VerifyAsync()).Findings);
        var finding = Assert.Single((await _store.Verifier.VerifyAsync(told, null, default)).Findings);
        Assert.Equal((_store.InstanceId, 9), (finding.Chain, finding.Sequence));
        Assert.Empty((await _store.Verifier.VerifyAsync([new AuditChainEnd(sixth.Chain, 6, sixth.Hash)], null, default)).Findings);
    }

    [Fact]
    public async Task P9_A_tenants_records_are_found_and_paged_by_that_tenant_alone()
    {
        await _store.SettleAsync(5);
        var other = SomeRequest.Admission(_store.InstanceId, tenant: "zeta");
        await _store.Journal.SettleOnceAsync(SomeRequest.Settlement(other));

        Assert.Null(await _store.Trail.FindAsync(other.RequestId, "acme", default));
        Assert.Equal(other.RequestId, (await _store.Trail.FindAsync(other.RequestId, "zeta", default))?.Id);
        var acme = new AuditFilter { Tenant = "acme" };
        var first = await _store.Trail.PageAsync(acme, null, 3, default);
        var second = await _store.Trail.PageAsync(acme, first[^1].Id, 3, default);
        Assert.Equal((3, 2), (first.Count, second.Count));
        Assert.All(first.Concat(second), record => Assert.Equal("acme", record.Tenant));
        Assert.Empty(await _store.Trail.PageAsync(acme with { Project = "elsewhere" }, null, 3, default));
        Assert.Equal(5, (await _store.Trail.PageAsync(acme with { From = DateTimeOffset.MinValue }, null, 9, default)).Count);
        Assert.Empty(await _store.Trail.PageAsync(acme with { Until = TimeProvider.System.GetUtcNow().AddHours(-1) }, null, 3, default));
        Assert.Equal(5, (await _store.Trail.PageAsync(acme with { From = TimeProvider.System.GetUtcNow().AddHours(-1) }, null, 9, default)).Count);
    }

    /// <summary>In different milliseconds, so that the chain's order is that of the ids.</summary>
    private async Task SettleOneByOneAsync(int count)
    {
        for (var n = 0; n < count; n++)
        {
            await _store.SettleAsync(1);
            await Task.Delay(2);
        }
    }

    private Task<AuditReport> VerifyAsync() => _store.Verifier.VerifyAsync([], null, default);

    private async Task<List<AuditRecord>> AllAsync()
    {
        List<AuditRecord> all = [];
        await foreach (var record in _store.Trail.ReadAsync(_everything, default))
        {
            all.Add(record);
        }

        return all;
    }

    private async Task UntilWritableAsync()
    {
        for (var tries = 0; !_store.Journal.IsWritable; tries++)
        {
            Assert.True(tries < 3000, "the journal does not write again");
            await Task.Delay(10);
        }
    }
}
