namespace TokenFactory.TestKit.Servers;

/// <summary>A reply that is to be lost.</summary>
internal sealed class ReplyLoss(string statement)
{
    private readonly TaskCompletionSource _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What the statement holds whose reply it is.</summary>
    public string Statement => statement;

    public Task Lost => _lost.Task;

    public void Happened() => _lost.TrySetResult();
}
