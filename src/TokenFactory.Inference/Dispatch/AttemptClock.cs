using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference.Dispatch;

internal enum ClockName
{
    None = 0,
    FirstByte = 1,
    Idle = 2,
    Total = 3,
}

/// <summary>
/// The first-byte, idle and total clocks of an attempt in one timer, and the token that ends the attempt: by a clock, by
/// the client going away, by the end of a shutdown's drain, or by a cancellation. A read only notes the time; the timer looks when it fires and sets itself again.
/// </summary>
internal sealed class AttemptClock : IDisposable
{
    private readonly Clocks _clocks;
    private readonly TimeProvider _time;
    private readonly long _started;
    private readonly CancellationTokenSource _source;
    private readonly ITimer _timer;
    private long _touched;
    private int _expired;

    public AttemptClock(Clocks clocks, TimeProvider time, CancellationToken client, CancellationToken drained)
    {
        _clocks = clocks;
        _time = time;
        _started = time.GetTimestamp();
        _source = CancellationTokenSource.CreateLinkedTokenSource(client, drained);
        _timer = time.CreateTimer(static state => ((AttemptClock)state!).Look(), this, First(clocks), Timeout.InfiniteTimeSpan);
    }

    public CancellationToken Token => _source.Token;

    /// <summary>The clock that ran out; None while all hold.</summary>
    public ClockName Expired => (ClockName)Volatile.Read(ref _expired);

    public TimeSpan Elapsed => _time.GetElapsedTime(_started);

    /// <summary>From the start to the body's first byte; null while none came.</summary>
    public TimeSpan? FirstTouch { get; private set; }

    public void Touch()
    {
        FirstTouch ??= Elapsed;
        Volatile.Write(ref _touched, _time.GetTimestamp());
    }

    /// <summary>Ends the attempt.</summary>
    public void Cut()
    {
        try
        {
            _source.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has just ended by itself.
        }
        catch (AggregateException)
        {
            // Who was waiting failed to stop in order; that it was stopped is what was asked.
        }
    }

    public void Dispose()
    {
        _timer.Dispose();
        _source.Dispose();
    }

    private void Look()
    {
        var touched = Volatile.Read(ref _touched);
        var (name, rest) = touched == 0
            ? (ClockName.FirstByte, _clocks.FirstByte - Elapsed)
            : (ClockName.Idle, _clocks.Idle - _time.GetElapsedTime(touched));
        if (_clocks.Total is { } total && total - Elapsed < rest)
        {
            (name, rest) = (ClockName.Total, total - Elapsed);
        }

        if (rest <= TimeSpan.Zero)
        {
            Volatile.Write(ref _expired, (int)name);
            Cut();
            return;
        }

        try
        {
            // Never later than the idle clock could run out, whatever arrives meanwhile.
            _timer.Change(rest < _clocks.Idle ? rest : _clocks.Idle, Timeout.InfiniteTimeSpan);
        }
        catch (ObjectDisposedException)
        {
            // The attempt ended while the timer fired: nobody waits for it any more.
        }
    }

    private static TimeSpan First(Clocks clocks)
    {
        var first = clocks.Idle < clocks.FirstByte ? clocks.Idle : clocks.FirstByte;
        return clocks.Total < first ? clocks.Total.Value : first;
    }
}
