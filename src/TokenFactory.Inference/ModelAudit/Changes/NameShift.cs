namespace TokenFactory.Inference.ModelAudit.Changes;

/// <summary>
/// Whether answers begin to carry a name that they never carried: no statistics, but a rule. Names seen among the first answers are usual, as
/// many as there are (a service may run several configurations at once); one that turns up later is a change once it has been seen a few
/// times. What was raised is usual from then on.
/// </summary>
internal sealed class NameShift
{
    /// <summary>Answers with a name before a new one is a change.</summary>
    public const int Established = 100;

    /// <summary>How often a new name must be seen.</summary>
    public const int Sightings = 3;

    private const int MostNames = 32;

    private readonly Dictionary<string, DateTimeOffset> _usual = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (int Times, DateTimeOffset First)> _new = new(StringComparer.Ordinal);
    private string? _latest;
    private long _answers;
    private DateTimeOffset _raisedAt;

    public Change<string>? Raised { get; private set; }

    public Verdict Add(string name, DateTimeOffset at)
    {
        _answers++;
        if (_answers <= Established || _usual.ContainsKey(name))
        {
            _latest = name;
            Know(name, at);
            return IsOver(at) ? End() : Verdict.Nothing;
        }

        var seen = _new.GetValueOrDefault(name, (Times: 0, First: at));
        if (seen.Times + 1 < Sightings)
        {
            if (seen.Times == 0)
            {
                Bound(_new, static one => one.First);
            }

            _new[name] = (seen.Times + 1, seen.First);
            return IsOver(at) ? End() : Verdict.Nothing;
        }

        _new.Remove(name);
        (Raised, _raisedAt) = (new Change<string>(_latest!, name, seen.First), at);
        _latest = name;
        Know(name, at);
        return Verdict.Raised;
    }

    private bool IsOver(DateTimeOffset at) => Raised is not null && at - _raisedAt >= ShiftWindows.Usual;

    private Verdict End()
    {
        Raised = null;
        return Verdict.Ended;
    }

    private void Know(string name, DateTimeOffset at)
    {
        if (!_usual.ContainsKey(name))
        {
            Bound(_usual, static last => last);
        }

        _usual[name] = at;
    }

    /// <summary>Makes room by forgetting what is the longest ago.</summary>
    private static void Bound<T>(Dictionary<string, T> names, Func<T, DateTimeOffset> when)
    {
        if (names.Count >= MostNames)
        {
            names.Remove(names.MinBy(one => when(one.Value)).Key);
        }
    }
}
