using System.Text;
using System.Text.Json;
using TokenFactory.Storage.Audit;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Ledger;
using TokenFactory.Storage.Outbox;
using TokenFactory.TestKit.Contracts;
using Xunit;

namespace TokenFactory.Storage.Tests.Outbox;

public sealed class RecordedEventTests : IDisposable
{
    private static readonly Guid _instance = Guid.Parse("0197c5f0-0000-7000-8000-000000000001");
    private static readonly DateTimeOffset _noon = new(2026, 11, 20, 12, 0, 0, 123, TimeSpan.Zero);

    private readonly AuditBodyWriter _records = new();
    private readonly RecordedEvent _events = new();

    public void Dispose() => _records.Dispose();

    [Fact]
    public void A_settlements_event_has_these_bytes_and_no_others()
    {
        var admission = SomeRequest.Admission(_instance, acceptedAt: _noon) with { RequestId = Guid.Parse("0197c5f0-0000-7000-8000-00000000000a"), Policy = """{"revision":"r1","bundle":"v3","rules":["eu-only"]}""" };

        var text = Encoding.UTF8.GetString(_events.Of(admission.RequestId, RecordedEvent.Usage, _records.Write(SomeRequest.Settlement(admission)))!);

        Assert.Equal(
            """
            {"specversion":"1.0","id":"0197c5f0-0000-7000-8000-00000000000a","type":"tokenfactory.usage.v1","source":"/gateways/0197c5f0-0000-7000-8000-000000000001","subject":"acme","time":"2026-11-20T12:00:00.504Z","datacontenttype":"application/json","data":{"request_id":"0197c5f0-0000-7000-8000-00000000000a","tenant":"acme","project":"search","department":"r&d","user":null,"key_id":"k3f9aaaa","tier":"standard","use_case":null,"operation":"chat","stream":true,"model":"gpt-4o-mini","deployment":"llama-eu","provider":"gpu-eu","region":"eu-west-1","upstream_model":"meta-llama/Llama-3.1-8B-Instruct","upstream_version":"3.1","outcome":"completed","evidence":"reported","tokens":{"input_uncached":812,"cache_read":200,"cache_write":0,"output":64,"reasoning":0},"cost_nano_usd":175200,"price_id":"price-1","attempts":1,"policy_decision_id":"decision-1","policy":{"revision":"r1","bundle":"v3","rules":["eu-only"]},"accepted_at":"2026-11-20T12:00:00.123Z","settled_at":"2026-11-20T12:00:00.504Z","time_to_first_token_ms":41.2,"duration_ms":380.5}}
            """,
            text);
    }

    [Theory]
    [MemberData(nameof(Combinations))]
    public void Every_settlements_event_fits_the_published_schema(Outcome outcome, Evidence evidence, bool sparse)
    {
        var admission = SomeRequest.Admission(_instance, acceptedAt: _noon);
        var settlement = SomeRequest.Settlement(admission) with { Outcome = outcome, Evidence = evidence };
        if (sparse)
        {
            var nowhere = new Placement("d", "p", null, "m", null, Price.Free);
            settlement = settlement with
            {
                Admission = admission with { Department = null, Tier = null, PolicyDecisionId = null, Tenant = "Ünïcode \"quoted\"\n\u2028" },
                Placement = nowhere,
                TimeToFirstToken = null,
                Attempts = [],
                Tokens = TokenUsage.Zero,
            };
        }

        using var document = JsonDocument.Parse(_events.Of(settlement.Admission.RequestId, RecordedEvent.Usage, _records.Write(settlement))!);

        Assert.Empty(JsonShape.Differences(document.RootElement, JsonShape.Published("usage-event.schema.json")));
        Assert.Equal(settlement.Admission.Tenant, document.RootElement.GetProperty("subject").GetString());
    }

    [Fact]
    public void An_adjustments_event_names_the_request_it_corrects()
    {
        var settlement = SomeRequest.Settlement(SomeRequest.Admission(_instance, acceptedAt: _noon));
        var adjustment = new Adjustment(settlement, Outcome.Orphaned, new TokenUsage(-5, 0, 0, 7, 0), -3);

        using var document = JsonDocument.Parse(_events.Of(adjustment.Id, RecordedEvent.Usage, _records.Write(adjustment))!);

        Assert.Empty(JsonShape.Differences(document.RootElement, JsonShape.Published("usage-event.schema.json")));
        Assert.Equal(adjustment.Id, document.RootElement.GetProperty("id").GetGuid());
        Assert.Equal(settlement.Admission.RequestId, document.RootElement.GetProperty("data").GetProperty("adjusts").GetGuid());
    }

    [Fact]
    public void A_denials_event_has_these_bytes_and_its_data_is_the_records_body()
    {
        var denial = SomeRequest.Denial(_instance) with { RequestId = Guid.Parse("0197c5f0-0000-7000-8000-00000000000a"), DeniedAt = _noon };
        var body = _records.Write(denial).ToArray();

        Assert.Equal(
            """
            {"specversion":"1.0","id":"0197c5f0-0000-7000-8000-00000000000a","type":"tokenfactory.audit.v1","source":"/gateways/0197c5f0-0000-7000-8000-000000000001","subject":"acme","time":"2026-11-20T12:00:00.123Z","datacontenttype":"application/json","data":
            """ + Encoding.UTF8.GetString(body) + "}",
            Encoding.UTF8.GetString(_events.Of(denial.RequestId, RecordedEvent.Denial, body)!));
    }

    [Fact]
    public void Every_denials_event_fits_the_published_schema()
    {
        Fits(SomeRequest.Denial(_instance));
        Fits(SomeRequest.Denial(_instance, tenant: "Ünïcode \"quoted\"\n\u2028") with { Policy = null, PolicyDecisionId = null, User = "ada", Tier = "gold" });
        Fits(SomeRequest.Denial(_instance) with { Status = 503, Error = "policy_unavailable", Policy = """{"revision":"r","external":{"endpoint":"https://opa","outcome":"timed_out"}}""" });

        void Fits(Denial denial)
        {
            using var document = JsonDocument.Parse(_events.Of(denial.RequestId, RecordedEvent.Denial, _records.Write(denial))!);
            Assert.Empty(JsonShape.Differences(document.RootElement, JsonShape.Published("audit-event.schema.json")));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"id":"0197c5f0-0000-7000-8000-00000000000a","at":"2026-11-20T12:00:00.123Z","instance":"0197c5f0-0000-7000-8000-000000000001","data":{}}""")]
    [InlineData("""{"id":"0197c5f0-0000-7000-8000-00000000000a","at":"2026-11-20T12:00:00.123Z","instance":"0197c5f0-0000-7000-8000-000000000001","data":{"tenant":7}}""")]
    [InlineData("""{"id":7,"at":"2026-11-20T12:00:00.123Z","instance":"0197c5f0-0000-7000-8000-000000000001","data":{"tenant":"acme"}}""")]
    [InlineData("""{"id":"0197c5f0-0000-7000-8000-00000000000a","at":"noon","instance":"0197c5f0-0000-7000-8000-000000000001","data":{"tenant":"acme"}}""")]
    [InlineData("""{"id":"0197c5f0-0000-7000-8000-00000000000a","at":"2026-11-20T12:00:00.123Z","instance":"0197c5f0-0000-7000-8000-000000000001","data":"acme"}""")]
    public void What_is_no_record_tells_nothing_and_the_next_record_its_own(string body)
    {
        var admission = SomeRequest.Admission(_instance);
        Assert.Null(_events.Of(Guid.Parse("0197c5f0-0000-7000-8000-00000000000a"), RecordedEvent.Usage, Encoding.UTF8.GetBytes(body)));
        Assert.NotNull(_events.Of(admission.RequestId, RecordedEvent.Usage, _records.Write(SomeRequest.Settlement(admission))));
        Assert.Null(_events.Of(_instance, RecordedEvent.Usage, _records.Write(SomeRequest.Settlement(admission))));
    }

    public static TheoryData<Outcome, Evidence, bool> Combinations()
    {
        var data = new TheoryData<Outcome, Evidence, bool>();
        foreach (var outcome in Enum.GetValues<Outcome>())
        {
            foreach (var evidence in Enum.GetValues<Evidence>())
            {
                data.Add(outcome, evidence, ((int)outcome + (int)evidence) % 2 == 0);
            }
        }

        return data;
    }
}
