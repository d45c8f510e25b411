using FsCheck;
using FsCheck.Fluent;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Ledger;
using TokenFactory.TestKit.Contracts;
using Xunit;

namespace TokenFactory.Storage.Tests.Ledger;

/// <summary>What every store's ledger shows. Each implementation's tests derive from this and only say how to make one.</summary>
public abstract class UsageLedgerContract : IAsyncLifetime
{
    private static readonly DateTimeOffset _start = new(2026, 11, 20, 22, 0, 0, TimeSpan.Zero);
    private static readonly UsageFilter _acme = new() { Tenant = "acme" };

    private StoreUnderTest _store = null!;

    private protected abstract Task<StoreUnderTest> OpenAsync();

    public async ValueTask InitializeAsync() => _store = await OpenAsync();

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Pages_are_newest_first_and_stay_stable_while_new_rows_arrive()
    {
        var all = await SettleAsync(25);
        var first = await _store.Ledger.PageAsync(_acme, null, 10, default);

        await SettleAsync(5, from: _start.AddHours(5));
        var second = await _store.Ledger.PageAsync(_acme, first.Next, 10, default);
        var third = await _store.Ledger.PageAsync(_acme, second.Next, 10, default);

        Assert.Null(third.Next);
        Assert.Equal(
            all.OrderByDescending(one => one.AcceptedAt).ThenByDescending(one => one.RequestId).Select(one => one.RequestId),
            first.Records.Concat(second.Records).Concat(third.Records).Select(record => record.RequestId));
    }

    [Fact]
    public async Task Rows_accepted_in_one_instant_are_neither_skipped_nor_repeated()
    {
        for (var n = 0; n < 9; n++)
        {
            await SettleAsync(1, from: _start);
        }

        List<Guid> seen = [];
        for (string? cursor = null; ;)
        {
            var page = await _store.Ledger.PageAsync(_acme, cursor, 2, default);
            seen.AddRange(page.Records.Select(record => record.RequestId));
            if ((cursor = page.Next) is null)
            {
                break;
            }
        }

        Assert.Equal(9, seen.Distinct().Count());
        Assert.Equal(9, seen.Count);
    }

    [Fact]
    public async Task The_last_full_page_has_no_next()
    {
        await SettleAsync(4);

        Assert.Null((await _store.Ledger.PageAsync(_acme, null, 4, default)).Next);
        Assert.NotNull((await _store.Ledger.PageAsync(_acme, null, 3, default)).Next);
    }

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("' OR 1=1 --")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("____________________________________________________________________")]
    public async Task A_forged_cursor_is_refused(string cursor) =>
        await Assert.ThrowsAsync<FormatException>(() => _store.Ledger.PageAsync(_acme, cursor, 10, default));

    [Fact]
    public void Cursors_survive_their_text_and_no_other_text_breaks_anything()
    {
        Prop.ForAll<long, Guid>((micros, id) =>
        {
            var cursor = new UsageCursor(micros & long.MaxValue, id);
            return UsageCursor.Parse(cursor.ToString()) == cursor;
        }).QuickCheckThrowOnFailure();
        Prop.ForAll<NonNull<string>>(text =>
        {
            try
            {
                UsageCursor.Parse(text.Get);
            }
            catch (FormatException)
            {
            }
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public async Task P9_Another_tenants_rows_appear_in_no_page_total_or_cursor()
    {
        await SettleAsync(3);
        var theirs = await SettleAsync(3, tenant: "globex");
        var cursorOfTheirs = (await _store.Ledger.PageAsync(new UsageFilter { Tenant = "globex" }, null, 1, default)).Next;

        var page = await _store.Ledger.PageAsync(_acme, cursorOfTheirs, 10, default);
        Assert.DoesNotContain(page.Records, record => record.Tenant != "acme");
        Assert.Equal(3, Assert.Single(await _store.Ledger.SummariseAsync(_acme, UsageGrouping.None, default)).Requests);
        Assert.Equal(6, Assert.Single(await _store.Ledger.SummariseAsync(new UsageFilter { Tenant = null }, UsageGrouping.None, default)).Requests);
        Assert.Empty(await _store.Ledger.SummariseAsync(new UsageFilter { Tenant = "acme' OR '1'='1" }, UsageGrouping.None, default));
        Assert.Equal(3, theirs.Count);
    }

    [Fact]
    public async Task Summaries_group_by_the_utc_day_of_acceptance_and_add_up()
    {
        await SettleAsync(4, from: _start, step: TimeSpan.FromHours(1));

        var days = await _store.Ledger.SummariseAsync(_acme, UsageGrouping.Day | UsageGrouping.Model, default);

        Assert.Equal([new DateOnly(2026, 11, 20), new DateOnly(2026, 11, 21)], days.Select(total => total.Day!.Value));
        Assert.All(days, total => Assert.Equal((2L, "gpt-4o-mini", null, null), (total.Requests, total.Model, total.KeyId, total.Project)));
        Assert.Equal(new TokenUsage(1624, 400, 0, 128, 0), days[0].Tokens);
        Assert.Equal(350_400, days[0].CostNanoUsd);
    }

    [Fact]
    public async Task The_times_of_a_filter_are_exact_and_half_open()
    {
        await SettleAsync(4, from: _start, step: TimeSpan.FromHours(1));

        var filter = _acme with { From = _start.AddHours(1), Until = _start.AddHours(3) };

        Assert.Equal(2, (await _store.Ledger.PageAsync(filter, null, 10, default)).Records.Count);
        Assert.Equal(2, Assert.Single(await _store.Ledger.SummariseAsync(filter, UsageGrouping.None, default)).Requests);
        Assert.Empty(await _store.Ledger.SummariseAsync(filter with { Outcome = TokenFactory.Storage.Ledger.Outcome.Failed }, UsageGrouping.None, default));
        Assert.Single(await _store.Ledger.SummariseAsync(filter with { Project = "search", Model = "gpt-4o-mini", KeyId = "k3f9aaaa", Outcome = TokenFactory.Storage.Ledger.Outcome.Completed }, UsageGrouping.Key, default));
    }

    [Fact]
    public async Task P3_Summaries_are_what_the_settlements_add_up_to_whatever_the_filter_and_the_grouping()
    {
        const int seed = 20261121;
        var random = new Random(seed);
        var settled = Enumerable.Range(0, 300).Select(_ => SomeSettlement(random)).ToArray();
        await Task.WhenAll(settled[..200].Select(one => _store.Journal.SettleOnceAsync(one)));
        await _store.AddUsageUpAsync();
        await Task.WhenAll(settled[200..].Select(one => _store.Journal.SettleOnceAsync(one)));

        // A settlement that comes again is not counted again.
        await Task.WhenAll(settled[..50].Select(one => _store.Journal.SettleOnceAsync(one)));

        for (var round = 0; round < 120; round++)
        {
            var filter = SomeFilter(random);
            var by = (UsageGrouping)random.Next(16);
            var expected = settled.Where(row => Matches(row, filter)).GroupBy(row => Group(row.Admission, by))
                .Select(group => new UsageTotal(
                    group.Key.Day, group.Key.Model, group.Key.Key, group.Key.Project, group.Count(),
                    new TokenUsage(group.Sum(row => row.Tokens.InputUncached), group.Sum(row => row.Tokens.CacheRead), 0, group.Sum(row => row.Tokens.Output), 0),
                    group.Sum(row => row.CostNanoUsd)));

            var totals = await _store.Ledger.SummariseAsync(filter, by, default);

            Assert.True(
                expected.ToHashSet().SetEquals(totals) && totals.Count == totals.Distinct().Count(),
                $"seed {seed}, round {round}, {filter}, by {by}:\n{string.Join('\n', totals)}");
            if (round == 60)
            {
                await _store.AddUsageUpAsync();
            }
        }
    }

    [Fact]
    public async Task P3_What_the_store_refused_is_not_counted()
    {
        await _store.RefuseRecordsOfAsync("refused");
        var refused = SomeRequest.Settlement(SomeRequest.Admission(_store.InstanceId) with { Project = "refused" });
        var fine = SomeRequest.Settlement(SomeRequest.Admission(_store.InstanceId));
        var gate = await _store.HoldAsync();
        var first = _store.Journal.SettleOnceAsync(SomeRequest.Settlement(SomeRequest.Admission(_store.InstanceId)));
        Task[] together = [_store.Journal.SettleOnceAsync(fine), _store.Journal.SettleOnceAsync(refused)];
        await gate.DisposeAsync();
        await Task.WhenAll(first, together[0]);
        await Assert.ThrowsAnyAsync<Exception>(() => together[1]);

        Assert.Equal(2, Assert.Single(await _store.Ledger.SummariseAsync(_acme, UsageGrouping.None, default)).Requests);
    }

    [Fact]
    public async Task Spend_counts_what_was_settled_since()
    {
        await SettleAsync(4, from: _start, step: TimeSpan.FromHours(1));

        var spend = Assert.Single(await _store.Ledger.SpendSinceAsync(_start.AddHours(2), default));

        Assert.Equal(new BudgetSpend("acme", "search", null, "k3f9aaaa", 2 * 1076, 2 * 175_200), spend);
    }

    [Fact]
    public async Task A_record_reads_back_as_it_was_settled()
    {
        var admission = SomeRequest.Admission(_store.InstanceId, acceptedAt: _start) with { User = "" };
        await _store.Journal.SettleOnceAsync(SomeRequest.Settlement(admission) with { Error = "upstream_timeout" });

        var record = Assert.Single((await _store.Ledger.PageAsync(_acme, null, 10, default)).Records);

        Assert.Equal(admission.RequestId, record.RequestId);
        Assert.Equal(("", "upstream_timeout", "eu-west-1", 1), (record.User, record.Error, record.Region, record.Attempts));
        Assert.Equal((_start, _start.AddMilliseconds(381), 41.2, 380.5), (record.AcceptedAt, record.SettledAt, record.TimeToFirstTokenMs, record.DurationMs));
    }

    [Theory]
    [InlineData(4000)]
    [InlineData(4096)]
    [InlineData(9000)]
    public async Task Texts_of_any_length_and_script_read_back_whole(int length)
    {
        var long1 = new string('x', length);
        var long2 = string.Concat(Enumerable.Repeat("ключ🔑", length / 6));
        var admission = SomeRequest.Admission(_store.InstanceId) with { User = long2 };
        await _store.Journal.SettleOnceAsync(SomeRequest.Settlement(admission) with { Error = long1 });
        await _store.Journal.SettleOnceAsync(SomeRequest.Settlement(SomeRequest.Admission(_store.InstanceId)));

        var records = (await _store.Ledger.PageAsync(_acme, null, 10, default)).Records;

        Assert.Equal([(null, null), (long2, long1)], records.Select(record => (record.User, record.Error)));
        using var sent = System.Text.Json.JsonDocument.Parse((await _store.OutboxAsync())[0].Body);
        Assert.Equal(long2, sent.RootElement.GetProperty("data").GetProperty("user").GetString());
    }

    private Settlement SomeSettlement(Random random)
    {
        var admission = SomeRequest.Admission(_store.InstanceId, Any("acme", "globex"), _start.AddMinutes(random.Next(5 * 24 * 60))) with
        {
            Project = Any("search", "chat"),
            Department = Any("r&d", null),
            User = Any("ann", "", null),
            KeyId = Any("k1", "k2", "k3"),
            Model = Any("gpt-4o-mini", "llama"),
        };
        return SomeRequest.Settlement(admission, output: random.Next(1000)) with { Outcome = (TokenFactory.Storage.Ledger.Outcome)random.Next(3) };

        string Any(params string?[] of) => of[random.Next(of.Length)]!;
    }

    private static UsageFilter SomeFilter(Random random)
    {
        return new UsageFilter
        {
            Tenant = Any("acme", "globex", null),
            Project = Any(null, null, "search", "chat"),
            KeyId = Any(null, null, "k1"),
            User = Any(null, null, "ann"),
            Model = Any(null, null, "llama"),
            Outcome = random.Next(4) == 0 ? (TokenFactory.Storage.Ledger.Outcome)random.Next(3) : null,
            From = Moment(),
            Until = Moment(),
        };

        string? Any(params string?[] of) => of[random.Next(of.Length)];

        // Often midnight, where whole days begin and end.
        DateTimeOffset? Moment() => random.Next(3) switch
        {
            0 => null,
            1 => new DateTimeOffset(_start.UtcDateTime.Date.AddDays(random.Next(7)), TimeSpan.Zero),
            _ => _start.AddMinutes(random.Next(-60, 6 * 24 * 60)).ToOffset(TimeSpan.FromHours(2)),
        };
    }

    private static bool Matches(Settlement row, UsageFilter filter) =>
        (filter.Tenant is null || filter.Tenant == row.Admission.Tenant)
        && (filter.Project is null || filter.Project == row.Admission.Project)
        && (filter.KeyId is null || filter.KeyId == row.Admission.KeyId)
        && (filter.User is null || filter.User == row.Admission.User)
        && (filter.Model is null || filter.Model == row.Admission.Model)
        && (filter.Outcome is null || filter.Outcome == row.Outcome)
        && (filter.From is null || row.Admission.AcceptedAt >= filter.From)
        && (filter.Until is null || row.Admission.AcceptedAt < filter.Until);

    private static (DateOnly? Day, string? Model, string? Key, string? Project) Group(Admission admission, UsageGrouping by) => (
        by.HasFlag(UsageGrouping.Day) ? DateOnly.FromDateTime(admission.AcceptedAt.UtcDateTime) : null,
        by.HasFlag(UsageGrouping.Model) ? admission.Model : null,
        by.HasFlag(UsageGrouping.Key) ? admission.KeyId : null,
        by.HasFlag(UsageGrouping.Project) ? admission.Project : null);

    private async Task<IReadOnlyList<Admission>> SettleAsync(int count, string tenant = "acme", DateTimeOffset? from = null, TimeSpan? step = null)
    {
        var admissions = Enumerable.Range(0, count)
            .Select(n => SomeRequest.Admission(_store.InstanceId, tenant, (from ?? _start) + (n * (step ?? TimeSpan.FromMilliseconds(1))))).ToArray();
        await Task.WhenAll(admissions.Select(one => _store.Journal.SettleOnceAsync(SomeRequest.Settlement(one))));
        return admissions;
    }
}
