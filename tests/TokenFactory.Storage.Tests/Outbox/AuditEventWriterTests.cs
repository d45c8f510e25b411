using System.Text;
using System.Text.Json;
using TokenFactory.Storage.Audit;
using TokenFactory.Storage.Outbox;
using TokenFactory.TestKit.Contracts;
using Xunit;

namespace TokenFactory.Storage.Tests.Outbox;

public sealed class AuditEventWriterTests : IDisposable
{
    private static readonly Guid _instance = Guid.Parse("0197c5f0-0000-7000-8000-000000000001");

    private readonly AuditEventWriter _writer = new();
    private readonly AuditBodyWriter _bodies = new();

    public void Dispose()
    {
        _writer.Dispose();
        _bodies.Dispose();
    }

    [Fact]
    public void A_denials_event_has_these_bytes_and_its_data_is_the_records_body()
    {
        var denial = SomeRequest.Denial(_instance) with
        {
            RequestId = Guid.Parse("0197c5f0-0000-7000-8000-00000000000a"),
            DeniedAt = new DateTimeOffset(2026, 11, 20, 12, 0, 0, 123, TimeSpan.Zero),
        };

        Assert.Equal(
            """
            {"specversion":"1.0","id":"0197c5f0-0000-7000-8000-00000000000a","type":"tokenfactory.audit.v1","source":"/gateways/0197c5f0-0000-7000-8000-000000000001","subject":"acme","time":"2026-11-20T12:00:00.123Z","datacontenttype":"application/json","data":
            """ + Encoding.UTF8.GetString(_bodies.Write(denial)) + "}",
            Encoding.UTF8.GetString(_writer.Write(denial)));
    }

    [Fact]
    public void Every_denials_event_fits_the_published_schema()
    {
        Fits(_writer.Write(SomeRequest.Denial(_instance)));
        Fits(_writer.Write(SomeRequest.Denial(_instance, tenant: "Ünïcode \"quoted\"\n\u2028") with { Policy = null, PolicyDecisionId = null, User = "ada", Tier = "gold" }));
        Fits(_writer.Write(SomeRequest.Denial(_instance) with { Status = 503, Error = "policy_unavailable", Policy = """{"revision":"r","external":{"endpoint":"https://opa","outcome":"timed_out"}}""" }));
    }

    private static void Fits(ReadOnlySpan<byte> written)
    {
        using var document = JsonDocument.Parse(written.ToArray());
        Assert.Empty(JsonShape.Differences(document.RootElement, JsonShape.Published("audit-event.schema.json")));
    }
}
