using Microsoft.Extensions.Hosting;

namespace TokenFactory.Inference.Dispatch;

/// <summary>
/// Ends what still runs when a shutdown's patience is over. Without it the server would cut those connections by itself, and
/// their settlements would race with the closing of the store.
/// </summary>
internal sealed class Drain : IDisposable
{
    private readonly CancellationTokenSource _over;
    private readonly CancellationTokenRegistration _stopping;
    private ITimer? _timer;

    public Drain(IHostApplicationLifetime lifetime, DispatchOptions options, TimeProvider clock)
    {
        _over = new CancellationTokenSource();
        _stopping = lifetime.ApplicationStopping.Register(
            () => _timer = clock.CreateTimer(static over => ((CancellationTokenSource)over!).Cancel(), _over, options.DrainWithin, Timeout.InfiniteTimeSpan));
    }

    /// <summary>Cancelled when no request may run any longer.</summary>
    public CancellationToken Over => _over.Token;

    public void Dispose()
    {
        _stopping.Dispose();
        _timer?.Dispose();
        _over.Dispose();
    }
}
