using System.Net;
using System.Text;
using TokenFactory.Storage.Outbox;
using TokenFactory.Storage.Relay;
using Xunit;

namespace TokenFactory.Storage.Tests.Relay;

public sealed class CloudEventsSinkTests
{
    private static readonly OutboxMessage[] _two =
        [new(1, Guid.Empty, "t", Encoding.UTF8.GetBytes("{\"id\":1}"), default), new(2, Guid.Empty, "t", Encoding.UTF8.GetBytes("{\"id\":2}"), default)];

    [Fact]
    public async Task A_batch_is_one_json_array_under_the_batch_media_type_without_charset()
    {
        var backend = new Backend(HttpStatusCode.NoContent);
        using var sink = new CloudEventsSink(Options(batch: true, credential: "s3cret"), backend);

        await sink.DeliverAsync(_two, default);

        Assert.Equal("application/cloudevents-batch+json", backend.ContentType);
        Assert.Equal("[{\"id\":1},{\"id\":2}]", backend.Body);
        Assert.Equal("Bearer s3cret", backend.Authorization);
    }

    [Fact]
    public async Task Without_batches_each_event_travels_alone_as_it_is_kept()
    {
        var backend = new Backend(HttpStatusCode.Accepted);
        using var sink = new CloudEventsSink(Options(batch: false), backend);

        Assert.Equal(1, sink.MaxBatch);
        await sink.DeliverAsync([_two[0]], default);

        Assert.Equal("application/cloudevents+json", backend.ContentType);
        Assert.Equal("{\"id\":1}", backend.Body);
        Assert.Null(backend.Authorization);
    }

    [Theory]
    [InlineData(HttpStatusCode.BadRequest)]
    [InlineData(HttpStatusCode.RequestEntityTooLarge)]
    [InlineData(HttpStatusCode.UnprocessableEntity)]
    public async Task A_refusal_of_the_events_is_for_good(HttpStatusCode status)
    {
        using var sink = new CloudEventsSink(Options(), new Backend(status, "id is missing"));

        var refusal = await Assert.ThrowsAsync<SinkRejectedException>(() => sink.DeliverAsync(_two, default));
        Assert.Contains("id is missing", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(HttpStatusCode.RequestTimeout)]
    [InlineData(HttpStatusCode.TooManyRequests)]
    [InlineData(HttpStatusCode.Unauthorized)]
    [InlineData(HttpStatusCode.Forbidden)]
    [InlineData(HttpStatusCode.NotFound)]
    [InlineData(HttpStatusCode.Redirect)]
    [InlineData(HttpStatusCode.InternalServerError)]
    [InlineData(HttpStatusCode.ServiceUnavailable)]
    public async Task A_refusal_that_says_nothing_of_the_events_is_tried_again(HttpStatusCode status)
    {
        using var sink = new CloudEventsSink(Options(), new Backend(status));

        await Assert.ThrowsAsync<HttpRequestException>(() => sink.DeliverAsync(_two, default));
    }

    [Fact]
    public void Every_mistake_in_the_sinks_is_told_at_once()
    {
        SinkOptions[] wrong =
        [
            new() { Name = "one", Kind = SinkKind.File },
            new() { Name = "one", Kind = SinkKind.CloudEvents, Url = new Uri("ftp://sink.example") },
            new() { Name = "three", Kind = SinkKind.File, Path = "x", BatchSize = 0 },
        ];

        var told = Assert.Throws<StorageException>(() => Sinks.From(wrong, ".")).Message;

        Assert.All(["needs a path", "http or https", "between 1 and", "more than once"], part => Assert.Contains(part, told, StringComparison.Ordinal));
    }

    private static SinkOptions Options(bool batch = true, string? credential = null) =>
        new() { Name = "billing", Kind = SinkKind.CloudEvents, Url = new Uri("http://sink.example/events"), Batch = batch, Credential = credential };

    private sealed class Backend(HttpStatusCode status, string answer = "") : HttpMessageHandler
    {
        public string? ContentType { get; private set; }

        public string? Body { get; private set; }

        public string? Authorization { get; private set; }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            ContentType = request.Content!.Headers.ContentType!.ToString();
            Body = await request.Content.ReadAsStringAsync(cancellationToken);
            Authorization = request.Headers.Authorization?.ToString();
            return new HttpResponseMessage(status) { Content = new StringContent(answer) };
        }
    }
}
