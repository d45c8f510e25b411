namespace TokenFactory.Storage.Outbox;

/// <summary>Tells the relays that something was committed. A hint only: they also look by themselves.</summary>
internal sealed class OutboxSignal
{
    private TaskCompletionSource? _next;

    /// <summary>Completes at the next commit. Take it before looking, or a commit between the two is noticed late.</summary>
    public Task Next
    {
        get
        {
            var next = Volatile.Read(ref _next);
            if (next is not null)
            {
                return next.Task;
            }

            var fresh = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return (Interlocked.CompareExchange(ref _next, fresh, null) ?? fresh).Task;
        }
    }

    public void Raise()
    {
        // Nothing is allocated or written while nobody waits.
        if (Volatile.Read(ref _next) is not null)
        {
            Interlocked.Exchange(ref _next, null)?.TrySetResult();
        }
    }
}
