using System.Text;
using System.Text.Json;
using TokenFactory.Storage.Audit;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Ledger;
using TokenFactory.Storage.Tests.Outbox;
using TokenFactory.TestKit.Contracts;
using Xunit;

namespace TokenFactory.Storage.Tests.Audit;

public sealed class AuditBodyWriterTests : IDisposable
{
    private const string Policy =
        """{"revision":"r1","bundle":"v3","rules":["eu-only"],"regions":["eu"],"declared":{"classification":"internal","controls":["logging"]},"excluded":[{"deployment":"llama-us","reason":"residency"},{"deployment":"old","reason":"provider_not_allowed","rule":"eu-only"}],"external":{"endpoint":"https://opa:8181","outcome":"restricted","decision_id":"d-1","restrict":{"providers":["gpu-eu"],"regions":[],"models":["m"],"deployments":["d"]}},"shadow":{"bundle":"v4","outcome":"would_restrict","reasons":["residency"],"excluded":[{"deployment":"llama-eu","reason":"contract","rule":"restricted"}],"admitted":["old"]}}""";

    private static readonly Guid _instance = Guid.Parse("0197c5f0-0000-7000-8000-000000000001");
    private static readonly Admission _admission = SomeRequest.Admission(_instance, acceptedAt: new DateTimeOffset(2026, 11, 20, 12, 0, 0, TimeSpan.Zero)) with { Policy = Policy };

    private readonly AuditBodyWriter _writer = new();

    public void Dispose() => _writer.Dispose();

    [Fact]
    public void A_denial_has_these_bytes_and_no_others()
    {
        var denial = SomeRequest.Denial(_instance) with
        {
            RequestId = Guid.Parse("0197c5f0-0000-7000-8000-00000000000a"),
            DeniedAt = new DateTimeOffset(2026, 11, 20, 12, 0, 0, 123, TimeSpan.Zero),
        };

        Assert.Equal(
            """
            {"id":"0197c5f0-0000-7000-8000-00000000000a","kind":"denial","at":"2026-11-20T12:00:00.123Z","instance":"0197c5f0-0000-7000-8000-000000000001","gateway_version":"VERSION","redaction":"no_content","data":{"request_id":"0197c5f0-0000-7000-8000-00000000000a","tenant":"acme","project":"search","department":null,"user":null,"key_id":"k3f9aaaa","tier":null,"use_case":null,"operation":"chat","stream":false,"model":"gpt-4o-mini","policy_decision_id":"decision-2","policy":{"revision":"r1","bundle":"v3","rules":["no-secrets"]},"status":403,"error":"policy_denied","reason":"The policy in force does not allow this request: classification (by rule no-secrets)."}}
            """.Replace("VERSION", typeof(AuditBodyWriter).Assembly.GetName().Version!.ToString(3), StringComparison.Ordinal),
            Encoding.UTF8.GetString(_writer.Write(denial)));
    }

    [Fact]
    public void Every_kind_of_record_fits_the_published_schema()
    {
        var settlement = SomeRequest.Settlement(_admission);
        var failed = settlement with
        {
            Admission = _admission with { Policy = null, PolicyDecisionId = null, Tenant = "Ünïcode \"quoted\"\n\u2028" },
            Outcome = Outcome.Failed,
            Error = "backend_error",
            Skipped = [new Skip("llama-eu", Skip.QuotaSpent), new Skip("llama-eu-2", Skip.CircuitOpen)],
            Attempts = [new Attempt(1, "llama-us", "gpu-us", null, null, "connect_timeout", _admission.AcceptedAt, TimeSpan.FromSeconds(1))],
        };

        Fits(_writer.Write(settlement));
        Fits(_writer.Write(failed));
        Fits(_writer.Write(new Adjustment(settlement, Outcome.Orphaned, new TokenUsage(-5, 0, 0, 7, 0), -3)));
        Fits(_writer.Write(SomeRequest.Denial(_instance)));
        Fits(_writer.Write(SomeRequest.Denial(_instance) with { PolicyDecisionId = null, Policy = Policy }));
    }

    private static void Fits(ReadOnlySpan<byte> body)
    {
        using var document = JsonDocument.Parse(body.ToArray());
        Assert.Empty(JsonShape.Differences(document.RootElement, JsonShape.Published("audit-record.schema.json")));
    }
}
