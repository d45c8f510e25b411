using TokenFactory.Inference.Dialects.Events;

namespace TokenFactory.Inference.Stored;

/// <summary>An answer that leaves only once it is recorded: as it came, and in the client's words. Both are in the budget of all bodies until it has gone (P10).</summary>
internal sealed class KeptAnswer(BodyBudget budget) : IDisposable
{
    private const int BoundBytes = 32 * 1024 * 1024;

    public HeldBytes Came { get; } = new(budget, BoundBytes, forms: 4);

    public PooledBytes Told { get; } = new();

    public void Dispose()
    {
        Told.Dispose();
        Came.Dispose();
    }
}
