using System.Text;
using System.Text.Json;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Ledger;
using TokenFactory.Storage.Outbox;
using TokenFactory.TestKit.Contracts;
using Xunit;

namespace TokenFactory.Storage.Tests.Outbox;

public sealed class UsageEventWriterTests : IDisposable
{
    private static readonly Guid _instance = Guid.Parse("0197c5f0-0000-7000-8000-000000000001");
    private static readonly DateTimeOffset _noon = new(2026, 11, 20, 12, 0, 0, 123, TimeSpan.Zero);

    private readonly UsageEventWriter _writer = new();

    public void Dispose() => _writer.Dispose();

    [Fact]
    public void An_event_has_these_bytes_and_no_others()
    {
        var admission = SomeRequest.Admission(_instance, acceptedAt: _noon) with { RequestId = Guid.Parse("0197c5f0-0000-7000-8000-00000000000a"), Policy = """{"revision":"r1","bundle":"v3","rules":["eu-only"]}""" };

        var text = Encoding.UTF8.GetString(_writer.Write(SomeRequest.Settlement(admission)));

        Assert.Equal(
            """
            {"specversion":"1.0","id":"0197c5f0-0000-7000-8000-00000000000a","type":"tokenfactory.usage.v1","source":"/gateways/0197c5f0-0000-7000-8000-000000000001","subject":"acme","time":"2026-11-20T12:00:00.504Z","datacontenttype":"application/json","data":{"request_id":"0197c5f0-0000-7000-8000-00000000000a","tenant":"acme","project":"search","department":"r&d","user":null,"key_id":"k3f9aaaa","tier":"standard","use_case":null,"operation":"chat","stream":true,"model":"gpt-4o-mini","deployment":"llama-eu","provider":"gpu-eu","region":"eu-west-1","upstream_model":"meta-llama/Llama-3.1-8B-Instruct","upstream_version":"3.1","outcome":"completed","evidence":"reported","tokens":{"input_uncached":812,"cache_read":200,"cache_write":0,"output":64,"reasoning":0},"cost_nano_usd":175200,"price_id":"price-1","attempts":1,"policy_decision_id":"decision-1","policy":{"revision":"r1","bundle":"v3","rules":["eu-only"]},"accepted_at":"2026-11-20T12:00:00.123Z","settled_at":"2026-11-20T12:00:00.504Z","time_to_first_token_ms":41.2,"duration_ms":380.5}}
            """,
            text);
    }

    [Theory]
    [MemberData(nameof(Combinations))]
    public void Every_event_fits_the_published_schema(Outcome outcome, Evidence evidence, bool sparse)
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

        using var document = JsonDocument.Parse(_writer.Write(settlement).ToArray());

        Assert.Empty(JsonShape.Differences(document.RootElement, JsonShape.Published("usage-event.schema.json")));
        Assert.Equal(settlement.Admission.Tenant, document.RootElement.GetProperty("subject").GetString());
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
