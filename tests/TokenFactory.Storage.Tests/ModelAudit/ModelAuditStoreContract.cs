using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using TokenFactory.Storage.ModelAudit;
using TokenFactory.Storage.Outbox;
using TokenFactory.Storage.Tests.Outbox;
using Xunit;

namespace TokenFactory.Storage.Tests.ModelAudit;

/// <summary>What every store keeps of deployments, and how it tells what changed of them.</summary>
public abstract class ModelAuditStoreContract : IAsyncLifetime
{
    private static readonly DateTimeOffset _noon = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    private StoreUnderTest _store = null!;

    private IModelAuditStore Audit => _store.Services.GetRequiredService<IModelAuditStore>();

    private protected abstract Task<StoreUnderTest> OpenAsync();

    public async ValueTask InitializeAsync() => _store = await OpenAsync();

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task A_period_is_kept_as_it_was_and_replaced_when_it_is_written_again()
    {
        var replica = Ids.New(TimeProvider.System);
        await Audit.WriteAsync([Period("llama-eu", _noon, requests: 3), Period("llama-eu", _noon, requests: 5, replica), Period("gpt", _noon.AddMinutes(5))], default);
        await Audit.WriteAsync([Period("llama-eu", _noon, requests: 4)], default);

        var kept = await Audit.PeriodsAsync(_noon, null, default);
        Assert.Equal([4, 5, 1], kept.OrderBy(one => one.Start).ThenBy(one => one.Requests).Select(one => one.Requests));
        var own = Assert.Single(kept, one => one.InstanceId == _store.InstanceId && one.Deployment == "llama-eu");
        Assert.Equal((_noon, 2, 1), (own.Start, own.Errors, own.Refusals));
        Assert.Equal((2, 0), (own.FirstTokenMs.Count, own.TokensPerSecond.Count));
        Assert.InRange(own.FirstTokenMs.Quantile(1)!.Value, 190, 210);
        Assert.Equal(new Dictionary<string, long> { ["llama \"3\""] = 7 }, own.Models);
        Assert.Equal(2, (await Audit.PeriodsAsync(_noon, "llama-eu", default)).Count);
        Assert.Equal("gpt", Assert.Single(await Audit.PeriodsAsync(_noon.AddMinutes(1), null, default)).Deployment);
    }

    [Fact]
    public async Task P2_A_flag_and_its_event_are_written_together_and_once()
    {
        var flag = Flag();
        await Audit.RaiseAsync(flag, default);
        await Audit.RaiseAsync(flag with { After = "another" }, default);

        Assert.Equal(flag, Assert.Single(await Audit.FlagsAsync(_noon.AddDays(1), null, default)));
        var told = Assert.Single(await _store.OutboxAsync());
        Assert.Equal((flag.Id, EventTypes.ModelAudit), (told.EventId, told.Type));
        using var document = JsonDocument.Parse(told.Body);
        Assert.Empty(JsonShape.Differences(document.RootElement, JsonShape.Published("model-audit-event.schema.json")));
        Assert.Equal("fp_\"2\"", document.RootElement.GetProperty("data").GetProperty("after").GetString());
    }

    [Fact]
    public async Task Every_kind_of_flag_fits_the_published_schema()
    {
        foreach (var kind in AuditedKinds.All)
        {
            await Audit.RaiseAsync(Flag() with { Kind = kind, Before = "0.25", After = "12.5", Region = null, UpstreamModel = null, UpstreamVersion = null }, default);
        }

        foreach (var told in await _store.OutboxAsync())
        {
            using var document = JsonDocument.Parse(told.Body);
            Assert.Empty(JsonShape.Differences(document.RootElement, JsonShape.Published("model-audit-event.schema.json")));
        }
    }

    [Fact]
    public async Task A_flag_that_is_over_is_shown_for_the_time_that_is_asked_about()
    {
        var (holds, over) = (Flag(), Flag() with { Deployment = "gpt" });
        await Audit.RaiseAsync(holds, default);
        await Audit.RaiseAsync(over, default);
        await Audit.EndAsync(over.Id, _noon.AddHours(2), default);
        await Audit.EndAsync(over.Id, _noon.AddHours(9), default);

        Assert.Equal([holds.Id], (await Audit.FlagsAsync(_noon.AddHours(3), null, default)).Select(one => one.Id));
        Assert.Equal(_noon.AddHours(2), Assert.Single(await Audit.FlagsAsync(_noon.AddHours(1), "gpt", default)).EndedAt);
    }

    [Fact]
    public async Task P10_What_is_older_than_the_bound_is_forgotten()
    {
        await Audit.WriteAsync([Period("llama-eu", _noon), Period("llama-eu", _noon.AddDays(7))], default);
        var (old, young) = (Flag(), Flag() with { DetectedAt = _noon.AddDays(7) });
        await Audit.RaiseAsync(old, default);
        await Audit.RaiseAsync(young, default);

        await Audit.ForgetAsync(_noon.AddDays(1), default);
        await Audit.ForgetAsync(_noon.AddDays(1), default);

        Assert.Single(await Audit.PeriodsAsync(_noon, null, default));
        Assert.Equal(young.Id, Assert.Single(await Audit.FlagsAsync(_noon, null, default)).Id);
    }

    private AuditFlag Flag() => new()
    {
        Id = Ids.New(TimeProvider.System),
        InstanceId = _store.InstanceId,
        Deployment = "llama-eu",
        Provider = "gpu-eu",
        Region = "eu-west-1",
        UpstreamModel = "llama",
        UpstreamVersion = "3.1",
        Kind = AuditedKind.SystemFingerprint,
        Since = _noon.AddMinutes(-5),
        DetectedAt = _noon,
        Before = "fp_1",
        After = "fp_\"2\"",
    };

    private AuditedPeriod Period(string deployment, DateTimeOffset start, long requests = 1, Guid? instance = null)
    {
        var first = new LogHistogram();
        first.Add(100);
        first.Add(200);
        return new AuditedPeriod
        {
            Deployment = deployment,
            Start = start,
            InstanceId = instance ?? _store.InstanceId,
            Requests = requests,
            Errors = 2,
            Refusals = 1,
            FirstTokenMs = first,
            TokensPerSecond = new LogHistogram(),
            OutputTokens = first,
            Models = new Dictionary<string, long> { ["llama \"3\""] = 7 },
            Fingerprints = new Dictionary<string, long>(),
        };
    }
}
