using System.Text;
using System.Text.Json;
using TokenFactory.Storage.Outbox;
using TokenFactory.TestKit.Contracts;
using Xunit;

namespace TokenFactory.Storage.Tests.Outbox;

public sealed class RequestEventWriterTests : IDisposable
{
    private static readonly Guid _instance = Guid.Parse("0197c5f0-0000-7000-8000-000000000001");
    private static readonly DateTimeOffset _noon = new(2026, 11, 20, 12, 0, 0, 123, TimeSpan.Zero);

    private readonly RequestEventWriter _writer = new();

    public void Dispose() => _writer.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Every_step_fits_the_published_schema(bool sparse)
    {
        var admission = SomeRequest.Admission(_instance, acceptedAt: _noon) with { Policy = """{"revision":"r1","bundle":"v3","rules":["eu-only"]}""" };
        if (sparse)
        {
            admission = admission with { Department = null, Tier = null, PolicyDecisionId = null, Policy = null, Tenant = "Ünïcode \"quoted\"\n\u2028" };
        }

        foreach (var written in new[] { _writer.Admitted(admission).ToArray(), _writer.CancelRequested(admission, sparse ? null : "k3f9aaaa", _noon).ToArray() })
        {
            using var document = JsonDocument.Parse(written);
            Assert.Empty(JsonShape.Differences(document.RootElement, JsonShape.Published("request-event.schema.json")));
            Assert.Equal(admission.Tenant, document.RootElement.GetProperty("subject").GetString());
        }
    }

    [Fact]
    public void P2_A_step_has_one_id_and_the_same_bytes_whenever_it_is_written()
    {
        var admission = SomeRequest.Admission(_instance, acceptedAt: _noon);

        Assert.Equal(Encoding.UTF8.GetString(_writer.Admitted(admission)), Encoding.UTF8.GetString(_writer.Admitted(admission)));
        var ids = new[] { admission.RequestId, RequestEventWriter.AdmittedId(admission.RequestId), RequestEventWriter.CancelRequestedId(admission.RequestId), Ids.AdjustmentOf(admission.RequestId) };
        Assert.Equal(4, ids.Distinct().Count());

        // Of the request's own millisecond: it stays in the outbox's partition of that day.
        Assert.Single(ids.Select(id => id.ToString("N")[..12]).Distinct());
    }
}
