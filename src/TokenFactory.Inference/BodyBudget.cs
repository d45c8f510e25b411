namespace TokenFactory.Inference;

/// <summary>
/// Memory that all request bodies, and what of answers must be held whole, may take together. Bytes are taken before they are read, so that a
/// flood of large bodies is refused with 503 instead of ending the process (P10).
/// </summary>
internal sealed class BodyBudget(long limitBytes)
{
    private long _reserved;

    public long LimitBytes { get; } = limitBytes;

    public long ReservedBytes => Volatile.Read(ref _reserved);

    public bool TryTake(long bytes)
    {
        if (Interlocked.Add(ref _reserved, bytes) <= LimitBytes)
        {
            return true;
        }

        Interlocked.Add(ref _reserved, -bytes);
        return false;
    }

    public void Return(long bytes) => Interlocked.Add(ref _reserved, -bytes);
}
