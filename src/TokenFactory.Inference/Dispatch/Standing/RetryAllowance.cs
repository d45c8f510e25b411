using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference.Dispatch.Standing;

/// <summary>A deployment's <see cref="RetryBudget"/> as it is spent.</summary>
internal sealed class RetryAllowance(RetryBudget budget, TimeProvider clock)
{
    private const int HeldSeconds = 10;
    private const int SavedRequests = 1000;

    private readonly Lock _spending = new();

    // What a deployment saves up: ten seconds of the few, and the share of a thousand requests.
    private readonly double _most = (budget.PerSecond * HeldSeconds) + (budget.Share * SavedRequests);
    private double _left = budget.PerSecond * HeldSeconds;
    private long _filled = clock.GetTimestamp();

    /// <summary>It was given a request that nobody else had.</summary>
    public void First()
    {
        lock (_spending)
        {
            Fill(budget.Share);
        }
    }

    /// <summary>Whether it may be given one that failed elsewhere.</summary>
    public bool TryRetry()
    {
        lock (_spending)
        {
            Fill(0);
            if (_left < 1)
            {
                return false;
            }

            _left--;
            return true;
        }
    }

    private void Fill(double more)
    {
        var now = clock.GetTimestamp();
        _left = Math.Min(_most, _left + (clock.GetElapsedTime(_filled, now).TotalSeconds * budget.PerSecond) + more);
        _filled = now;
    }
}
