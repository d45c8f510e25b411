namespace TokenFactory.Inference.Dispatch.Running;

/// <summary>A request's own switch: whoever cancels it reaches the attempt that runs then, or the next one before it asks a backend.</summary>
internal sealed class RunningRequest
{
    private readonly Lock _gate = new();
    private AttemptClock? _attempt;
    private TimeSpan _notedAt;
    private bool _isCancelled;
    private bool _streams;

    public bool IsCancelled => Volatile.Read(ref _isCancelled);

    public void Cancel()
    {
        AttemptClock? attempt;
        lock (_gate)
        {
            Volatile.Write(ref _isCancelled, true);
            attempt = _attempt;
        }

        attempt?.Cut();
    }

    /// <summary>The attempt to end from now on.</summary>
    public void Attempting(AttemptClock attempt)
    {
        lock (_gate)
        {
            _attempt = attempt;
        }

        if (IsCancelled)
        {
            attempt.Cut();
        }
    }

    /// <summary>Notes what a stream has used, which nothing that knows less may follow.</summary>
    public void NoteStream(Action note)
    {
        lock (_gate)
        {
            _streams = true;
            note();
        }
    }

    /// <summary>Notes a request that has said nothing of its usage, when it has run for long enough: first after a while, and each time after twice as long.</summary>
    public void NoteSilence(TimeSpan age, TimeSpan first, Action note)
    {
        lock (_gate)
        {
            if (!_streams && age >= first && age >= _notedAt * 2)
            {
                _notedAt = age;
                note();
            }
        }
    }
}
