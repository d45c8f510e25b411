using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using TokenFactory.Storage.Outbox;
using TokenFactory.Storage.Relay;
using TokenFactory.TestKit.Processes;

namespace TokenFactory.Storage.Tests.Relay;

/// <summary>The CloudEvents sink under the contract of all sinks, with a consumer on a real connection.</summary>
public sealed class CloudEventsSinkContractTests : RemoteSinkContract
{
    private protected override async Task<SinkUnderTest> StartAsync()
    {
        var consumer = new Consumer();
        await consumer.MendAsync();
        return consumer;
    }

    private sealed class Consumer : SinkUnderTest, IFreezable
    {
        private readonly List<Taken> _taken = [];
        private readonly int _port = FreePort.Next();
        private WebApplication? _app;
        private TaskCompletionSource? _frozen;

        public override OutboxMessage Poison { get; } = One(10, note: "poison");

        public override ISink New(TimeSpan? timeout = null) => new CloudEventsSink(
            new SinkOptions
            {
                Name = "http",
                Kind = SinkKind.CloudEvents,
                Url = new Uri($"http://127.0.0.1:{_port}/events"),
                BatchSize = 32,
                Timeout = timeout ?? TimeSpan.FromSeconds(10),
            },
            CloudEventsSink.Handler());

        public override Task<IReadOnlyList<Taken>> TakenAsync()
        {
            lock (_taken)
            {
                return Task.FromResult<IReadOnlyList<Taken>>([.. _taken]);
            }
        }

        public override async Task BreakAsync()
        {
            await _app!.DisposeAsync();
            _app = null;
        }

        public override async Task MendAsync()
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, _port));
            _app = builder.Build();
            _app.MapPost("/events", TakeAsync);
            await _app.StartAsync();
        }

        public void Freeze() => _frozen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Thaw()
        {
            _frozen!.SetResult();
            _frozen = null;
        }

        public override async ValueTask DisposeAsync()
        {
            if (_app is not null)
            {
                await _app.DisposeAsync();
            }
        }

        private async Task TakeAsync(HttpContext context)
        {
            using var document = await JsonDocument.ParseAsync(context.Request.Body);
            await (_frozen?.Task ?? Task.CompletedTask);
            if (document.RootElement.EnumerateArray().Any(one => one.GetProperty("data").GetProperty("note").GetString() == "poison"))
            {
                context.Response.StatusCode = StatusCodes.Status400BadRequest;
                return;
            }

            lock (_taken)
            {
                _taken.AddRange(document.RootElement.EnumerateArray().Select(one => new Taken(one.GetProperty("id").GetGuid(), one.GetRawText())));
            }

            context.Response.StatusCode = StatusCodes.Status204NoContent;
        }
    }
}
