namespace TokenFactory.TestKit.Servers;

/// <summary>A reply that is to be lost.</summary>
internal sealed class ReplyLoss(byte[] request)
{
    private readonly TaskCompletionSource _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What the request holds whose reply it is.</summary>
    public ReadOnlySpan<byte> Request => request;

    public Task Lost => _lost.Task;

    public void Happened() => _lost.TrySetResult();
}
