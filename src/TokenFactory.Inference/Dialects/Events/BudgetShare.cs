namespace TokenFactory.Inference.Dialects.Events;

/// <summary>What one answer has taken from the budget of all bodies (P10). Small ones take nothing.</summary>
internal sealed class BudgetShare(BodyBudget budget) : IDisposable
{
    private const int FreeBytes = 64 * 1024;
    private const int StepBytes = 256 * 1024;

    private long _taken;

    public bool IsTaken => _taken > 0;

    /// <summary>Takes what is missing for so many bytes.</summary>
    /// <param name="forms">How many times their size all that is made of them takes.</param>
    /// <exception cref="NoRoomForAnswerException">There is less left.</exception>
    public void Cover(long size, int forms)
    {
        var bytes = size <= FreeBytes ? 0 : (size + StepBytes - 1) / StepBytes * StepBytes * forms;
        if (bytes <= _taken)
        {
            return;
        }

        if (!budget.TryTake(bytes - _taken))
        {
            throw new NoRoomForAnswerException(isForGood: bytes > budget.LimitBytes);
        }

        _taken = bytes;
    }

    public void GiveBack()
    {
        budget.Return(_taken);
        _taken = 0;
    }

    public void Dispose() => GiveBack();
}
