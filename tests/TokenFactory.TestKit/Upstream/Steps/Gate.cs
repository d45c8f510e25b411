namespace TokenFactory.TestKit.Upstream.Steps;

/// <summary>Holds a script at one place until the test opens it. The test awaits <see cref="Reached"/> to know
/// that everything before the gate is on the wire.</summary>
public sealed class Gate
{
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when a request first stands at the gate; fails after 30 seconds, so that no test hangs.</summary>
    public Task Reached => _reached.Task.WaitAsync(TimeSpan.FromSeconds(30));

    public void Open() => _opened.TrySetResult();

    internal Task PassAsync(CancellationToken cancellation)
    {
        _reached.TrySetResult();
        return _opened.Task.WaitAsync(cancellation);
    }
}
