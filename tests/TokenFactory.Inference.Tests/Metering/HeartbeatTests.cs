using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging.Abstractions;
using TokenFactory.Inference.Metering;
using TokenFactory.Inference.ReadModel;
using TokenFactory.TestKit.Clock;
using Xunit;

namespace TokenFactory.Inference.Tests.Metering;

public sealed class HeartbeatTests : IDisposable
{
    private readonly FakeClock _clock = new();
    private readonly MemoryStream _sent = new();

    [Fact]
    public async Task P7_silence_never_lasts_longer_than_the_interval()
    {
        using var delivery = Delivery();
        using var heartbeat = new Heartbeat(delivery, TimeSpan.FromSeconds(10), _clock, NullLogger.Instance);

        _clock.Advance(TimeSpan.FromSeconds(10));
        await CommentsAsync(1);
        _clock.Advance(TimeSpan.FromSeconds(4));
        await delivery.KeepAliveAsync(TimeSpan.Zero);
        await CommentsAsync(2);

        _clock.Advance(TimeSpan.FromSeconds(9.9));
        await CommentsAsync(2);
        _clock.Advance(TimeSpan.FromSeconds(0.1));
        await CommentsAsync(3);
        _clock.Advance(TimeSpan.FromSeconds(9.9));
        await CommentsAsync(3);
        _clock.Advance(TimeSpan.FromSeconds(0.1));
        await CommentsAsync(4);
    }

    public void Dispose() => _sent.Dispose();

    private async Task CommentsAsync(int expected)
    {
        // The next look at the silence is set when this one is done.
        await _clock.WaitForTimersAsync();
        Assert.Equal(expected, Encoding.UTF8.GetString(_sent.ToArray()).Split(": keep-alive\n\n").Length - 1);
    }

    private Delivery Delivery()
    {
        var context = new DefaultHttpContext();
        context.Response.Body = _sent;
        context.Features.Set<IHttpRequestLifetimeFeature>(new HttpRequestLifetimeFeature());
        return new Delivery(context, new Exchange(Guid.Empty, Operations.Chat, null!, _clock), _clock);
    }
}
