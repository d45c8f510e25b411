using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using TokenFactory.Storage.Audit;
using TokenFactory.Storage.Outbox;
using TokenFactory.Storage.Relay;
using TokenFactory.TestKit.Contracts;
using TokenFactory.TestKit.Processes;
using Xunit;

namespace TokenFactory.Storage.Tests.Relay;

/// <summary>
/// The CloudEvents sink against what OpenMeter documents of its ingest endpoint (openmeterio/openmeter, api/spec/src/events.tsp,
/// operation ingestEvents): POST /api/v1/events, an array of events as application/cloudevents-batch+json, a bearer token, 204 without a body.
/// </summary>
public sealed class OpenMeterTests : IAsyncDisposable
{
    private readonly int _port = FreePort.Next();
    private readonly List<string> _complaints = [];
    private readonly List<Guid> _ingested = [];
    private WebApplication? _app;

    [Fact]
    public async Task P2_Settlements_are_ingested_as_OpenMeter_documents_it()
    {
        await ListenAsync();
        using var records = new AuditBodyWriter();
        var writer = new RecordedEvent();
        OutboxMessage[] events = [.. Enumerable.Range(0, 50).Select(_ =>
        {
            var settlement = SomeRequest.Settlement(SomeRequest.Admission(Ids.New(TimeProvider.System)));
            return new OutboxMessage(0, settlement.Admission.RequestId, RecordedEvent.Usage, writer.Of(settlement.Admission.RequestId, RecordedEvent.Usage, records.Write(settlement)), settlement.SettledAt);
        })];
        using var sink = new CloudEventsSink(
            new SinkOptions { Name = "openmeter", Kind = SinkKind.CloudEvents, Url = new Uri($"http://127.0.0.1:{_port}/api/v1/events"), Credential = "om-token" },
            CloudEventsSink.Handler());

        await sink.DeliverAsync(events, default);

        Assert.Empty(_complaints);
        Assert.Equal(events.Select(one => one.EventId), _ingested);
    }

    public async ValueTask DisposeAsync()
    {
        if (_app is not null)
        {
            await _app.DisposeAsync();
        }
    }

    private async Task ListenAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, _port));
        _app = builder.Build();
        _app.MapPost("/api/v1/events", IngestAsync);
        await _app.StartAsync();
    }

    private async Task IngestAsync(HttpContext context)
    {
        Expect(context.Request.ContentType == "application/cloudevents-batch+json", $"content type {context.Request.ContentType}");
        Expect(context.Request.Headers.Authorization == "Bearer om-token", "authorization");
        using var batch = await JsonDocument.ParseAsync(context.Request.Body);
        Expect(batch.RootElement.ValueKind == JsonValueKind.Array, "an array");
        foreach (var one in batch.RootElement.EnumerateArray())
        {
            foreach (var required in new[] { "id", "source", "specversion", "type", "subject" })
            {
                Expect(one.TryGetProperty(required, out var value) && value.ValueKind == JsonValueKind.String && value.GetString()!.Length > 0, required);
            }

            Expect(one.GetProperty("specversion").GetString() == "1.0", "specversion 1.0");
            Expect(Uri.IsWellFormedUriString(one.GetProperty("source").GetString(), UriKind.RelativeOrAbsolute), "source is a URI reference");
            Expect(one.GetProperty("datacontenttype").GetString() == "application/json", "the only data content type allowed over HTTP");
            Expect(one.GetProperty("time").TryGetDateTimeOffset(out _), "time is RFC 3339");
            Expect(one.GetProperty("data").ValueKind == JsonValueKind.Object, "data is an object");
            _ingested.Add(one.GetProperty("id").GetGuid());
        }

        context.Response.StatusCode = _complaints.Count == 0 ? StatusCodes.Status204NoContent : StatusCodes.Status400BadRequest;
    }

    private void Expect(bool holds, string what)
    {
        if (!holds)
        {
            _complaints.Add(what);
        }
    }
}
