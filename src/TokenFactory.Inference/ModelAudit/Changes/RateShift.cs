namespace TokenFactory.Inference.ModelAudit.Changes;

/// <param name="Ratio">By which factor the share must have risen.</param>
/// <param name="Difference">And by how much, as a share.</param>
internal sealed record RateRule(double Ratio, double Difference);

/// <summary>
/// Whether a share (of errors, of refusals) is larger among recent samples than among those before: Fisher's exact test (1935) of the two
/// windows, one-sided, which holds however rare the thing is.
/// </summary>
internal sealed class RateShift(RateRule rule)
{
    /// <summary>The probability below which it is no chance.</summary>
    public const double Certain = 1e-7;

    private static readonly double[] _logFactorials = LogFactorials(ShiftWindows.Recent + ShiftWindows.Before);

    private readonly Ring<Sample> _recent = new(ShiftWindows.Recent);
    private readonly Ring<Sample> _before = new(ShiftWindows.Before);
    private int _hitsRecent;
    private int _hitsBefore;
    private int _sinceLook;
    private DateTimeOffset _raisedAt;

    public Change<double>? Raised { get; private set; }

    public Verdict Add(bool hit, DateTimeOffset at)
    {
        _hitsRecent += hit ? 1 : 0;
        if (_recent.Push(new Sample(hit, at), out var left))
        {
            _hitsRecent -= left.Hit ? 1 : 0;
            Keep(left);
        }

        if (Raised is not null && at - _raisedAt >= ShiftWindows.Usual)
        {
            _before.Clear();
            _hitsBefore = 0;
            return Resume();
        }

        if (++_sinceLook < ShiftWindows.Step || !_recent.IsFull || _before.Count < ShiftWindows.Enough)
        {
            return Verdict.Nothing;
        }

        _sinceLook = 0;
        var (share, usual) = ((double)_hitsRecent / _recent.Count, (double)_hitsBefore / _before.Count);
        if (Raised is not null)
        {
            return share - usual < rule.Difference / 2 ? Resume() : Verdict.Nothing;
        }

        if (share < usual * rule.Ratio || share - usual < rule.Difference || ChanceOf(_hitsRecent, _recent.Count, _hitsBefore, _before.Count) >= Certain)
        {
            return Verdict.Nothing;
        }

        (Raised, _raisedAt) = (new Change<double>(usual, share, Began((share + usual) / 2)), at);
        return Verdict.Raised;
    }

    /// <summary>How likely so many of all hits, or more, fall among the recent samples if nothing has changed.</summary>
    internal static double ChanceOf(int hits, int recent, int hitsBefore, int before)
    {
        var (all, allHits) = (recent + before, hits + hitsBefore);
        double chance = 0;
        for (var more = hits; more <= Math.Min(recent, allHits); more++)
        {
            chance += allHits - more > before ? 0 : Math.Exp(LogChoose(recent, more) + LogChoose(before, allHits - more) - LogChoose(all, allHits));
        }

        return chance;
    }

    private void Keep(Sample sample)
    {
        if (Raised is null)
        {
            _hitsBefore += sample.Hit ? 1 : 0;
            _hitsBefore -= _before.Push(sample, out var forgotten) && forgotten.Hit ? 1 : 0;
        }
    }

    private Verdict Resume()
    {
        Raised = null;
        return Verdict.Ended;
    }

    /// <summary>Where the running sum of hits less what is between both shares is lowest.</summary>
    private DateTimeOffset Began(double between)
    {
        var began = 0;
        double sum = 0;
        double lowest = 0;
        for (var index = 0; index < _recent.Count - 1; index++)
        {
            sum += (_recent[index].Hit ? 1 : 0) - between;
            if (sum < lowest)
            {
                (lowest, began) = (sum, index + 1);
            }
        }

        return _recent[began].At;
    }

    private static double LogChoose(int all, int some) => _logFactorials[all] - _logFactorials[some] - _logFactorials[all - some];

    private static double[] LogFactorials(int most)
    {
        var logs = new double[most + 1];
        for (var number = 2; number <= most; number++)
        {
            logs[number] = logs[number - 1] + Math.Log(number);
        }

        return logs;
    }

    private readonly record struct Sample(bool Hit, DateTimeOffset At);
}
