namespace TokenFactory.TestKit.Servers;

/// <summary>What a proxy does with the bytes of one direction.</summary>
public sealed class ProxyFlow
{
    private readonly Lock _gate = new();
    private TaskCompletionSource _open = Opened();

    /// <summary>How long each piece is held before it goes on.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>From now on nothing goes on; nothing is lost, as on a network that TCP sends over again and again.</summary>
    public void Hold()
    {
        lock (_gate)
        {
            if (_open.Task.IsCompleted)
            {
                _open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }
    }

    /// <summary>What was held goes on, in order.</summary>
    public void Pass()
    {
        lock (_gate)
        {
            Delay = TimeSpan.Zero;
            _open.TrySetResult();
        }
    }

    internal async Task PassedAsync(CancellationToken cancel)
    {
        Task open;
        lock (_gate)
        {
            open = _open.Task;
        }

        await open.WaitAsync(cancel);
        if (Delay > TimeSpan.Zero)
        {
            await Task.Delay(Delay, cancel);
        }
    }

    private static TaskCompletionSource Opened()
    {
        var open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        open.SetResult();
        return open;
    }
}
