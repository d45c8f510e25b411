namespace TokenFactory.Administration.Iam.Platform;

/// <summary>Ends an answer that falls silent, that never ends, or that nobody wants any more.</summary>
internal sealed class AnswerClock : IDisposable
{
    // However steadily it drips, an answer that takes longer is no news any more.
    private static readonly TimeSpan _whole = TimeSpan.FromMinutes(5);

    private readonly TimeSpan _within;
    private readonly CancellationTokenSource _silence;
    private readonly CancellationTokenSource _endless;
    private readonly CancellationTokenSource _any;

    public AnswerClock(TimeSpan within, TimeProvider clock, CancellationToken unwanted)
    {
        _within = within;
        _silence = new CancellationTokenSource(within, clock);
        _endless = new CancellationTokenSource(_whole, clock);
        _any = CancellationTokenSource.CreateLinkedTokenSource(_silence.Token, _endless.Token, unwanted);
    }

    public CancellationToken Token => _any.Token;

    /// <summary>Silence starts now.</summary>
    public void Listen() => _silence.CancelAfter(_within);

    public void Dispose()
    {
        _any.Dispose();
        _endless.Dispose();
        _silence.Dispose();
    }
}
