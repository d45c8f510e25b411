namespace TokenFactory.Inference.Dialects.Events;

/// <summary>
/// The part of an answer that must be there whole before it can go on. A small one is free; what a larger one takes, with the forms that are
/// made of it, is taken from the budget of all bodies first, so that no number of large answers ends the process (P10).
/// </summary>
/// <param name="boundBytes">More is no answer that can be held.</param>
/// <param name="forms">How many times its size all of it takes: its own buffer, which doubles as it grows, and what is made of it.</param>
internal sealed class HeldBytes(BodyBudget budget, int boundBytes, int forms) : IDisposable
{
    private readonly PooledBytes _bytes = new();
    private readonly BudgetShare _share = new(budget);

    public int Count => _bytes.Count;

    public ReadOnlySpan<byte> Span => _bytes.Span;

    public ReadOnlyMemory<byte> Memory => _bytes.Memory;

    /// <exception cref="UnreadableAnswerException">It would be more than the bound.</exception>
    /// <exception cref="NoRoomForAnswerException">The budget is spent. What was held is let go.</exception>
    public void Append(ReadOnlySpan<byte> more)
    {
        var size = _bytes.Count + more.Length;
        if (size > boundBytes)
        {
            throw new UnreadableAnswerException("what must be held of it is too large");
        }

        try
        {
            _share.Cover(size, forms);
        }
        catch (NoRoomForAnswerException)
        {
            Dispose();
            throw;
        }

        _bytes.Append(more);
    }

    /// <summary>Forgets it. What was made of it is still there: the budget has its bytes back with <see cref="GiveBack"/>.</summary>
    public void Clear()
    {
        if (_share.IsTaken)
        {
            _bytes.Dispose();
            return;
        }

        _bytes.Clear();
    }

    /// <summary>What was made of the part before has gone on.</summary>
    /// <returns>Whether that was a large one, whose forms nobody needs to keep room for.</returns>
    public bool GiveBack()
    {
        if (!_share.IsTaken || _bytes.Count > 0)
        {
            return false;
        }

        _share.GiveBack();
        return true;
    }

    public void Dispose()
    {
        _bytes.Dispose();
        _share.Dispose();
    }
}
