namespace TokenFactory.Inference.ModelAudit.Changes;

internal enum Direction
{
    Up,
    Down,
    Either,
}

/// <param name="Ratio">By which factor the typical value must have changed to matter to anybody; above 1.</param>
/// <param name="Difference">And by how much.</param>
internal sealed record ShiftRule(Direction Direction, double Ratio, double Difference);

/// <summary>
/// Whether recent figures are higher or lower than those before them, among samples of the same class: the stratified rank test of van Elteren
/// (1960, Bulletin de l'Institut International de Statistique 37), which is Wilcoxon's and Mann and Whitney's where there is one class. It asks
/// only which is larger, so that heavy tails are no alarm. Samples that resemble their neighbours count for fewer (the effective sample size of
/// Bayley and Hammersley, 1946), and a change must be large besides being certain.
/// </summary>
internal sealed class RankShift(ShiftRule rule)
{
    /// <summary>Standard errors. One look in three million comes so far by chance, and a look is taken each <see cref="ShiftWindows.Step"/> samples.</summary>
    public const double Certain = 5;

    private readonly Ring<Sample> _recent = new(ShiftWindows.Recent);
    private readonly Ring<Sample> _before = new(ShiftWindows.Before);
    private int _sinceLook;
    private bool _raisedUp;
    private DateTimeOffset _raisedAt;

    public Change<double>? Raised { get; private set; }

    /// <param name="stratum">The class of samples that it may be compared with.</param>
    /// <param name="value">Above 0.</param>
    public Verdict Add(int stratum, double value, DateTimeOffset at)
    {
        if (_recent.Push(new Sample(stratum, value, at), out var left) && Raised is null)
        {
            _before.Push(left, out _);
        }

        if (Raised is not null && at - _raisedAt >= ShiftWindows.Usual)
        {
            return Begin();
        }

        if (++_sinceLook < ShiftWindows.Step || !_recent.IsFull || _before.Count < ShiftWindows.Enough)
        {
            return Verdict.Nothing;
        }

        _sinceLook = 0;
        var look = new RankLook(_before, _recent);
        return Raised is null ? Judge(look, at) : IsOver(look) ? Resume() : Verdict.Nothing;
    }

    private Verdict Judge(RankLook look, DateTimeOffset at)
    {
        var isUp = look.Z > 0;
        if (Math.Abs(look.Z) < Certain || rule.Direction == (isUp ? Direction.Down : Direction.Up))
        {
            return Verdict.Nothing;
        }

        var turn = look.Turn();
        var usual = _before.Values().Select(static sample => sample.Value).Order().ElementAt(_before.Count / 2);
        var after = usual * Math.Exp(look.LogRatio(turn));
        if (look.LogRatio(0) * (isUp ? 1 : -1) < Math.Log(rule.Ratio) || Math.Abs(after - usual) < rule.Difference)
        {
            return Verdict.Nothing;
        }

        (Raised, _raisedUp, _raisedAt) = (new Change<double>(usual, after, _recent[turn].At), isUp, at);
        return Verdict.Raised;
    }

    /// <summary>Back by more than half of what matters.</summary>
    private bool IsOver(RankLook look) => look.LogRatio(0) * (_raisedUp ? 1 : -1) < Math.Log(rule.Ratio) / 2;

    private Verdict Resume()
    {
        Raised = null;
        return Verdict.Ended;
    }

    private Verdict Begin()
    {
        _before.Clear();
        return Resume();
    }

    internal readonly record struct Sample(int Stratum, double Value, DateTimeOffset At);
}
