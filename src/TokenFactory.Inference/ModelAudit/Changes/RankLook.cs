namespace TokenFactory.Inference.ModelAudit.Changes;

/// <summary>One comparison of the recent window with the one before it, class by class.</summary>
internal sealed class RankLook
{
    // A class of fewer says nothing of what is usual in it.
    private const int FewestBefore = 10;

    private const double MostAlike = 0.9;

    private readonly int _before;

    // Each sample's share of the earlier ones of its class that are below it: a half on average while nothing changes.
    private readonly double[] _placesBefore;
    private readonly double[] _placesRecent;

    // Of recent values to the usual one of their class; not a number where nothing is usual.
    private readonly double[] _ratios;
    private int _compared;
    private double _excess;
    private double _variance;

    public RankLook(Ring<RankShift.Sample> before, Ring<RankShift.Sample> recent)
    {
        _before = before.Count;
        (_placesBefore, _placesRecent, _ratios) = (new double[before.Count], new double[recent.Count], new double[recent.Count]);
        Array.Fill(_placesBefore, 0.5);
        Array.Fill(_placesRecent, 0.5);
        Array.Fill(_ratios, double.NaN);
        var all = Sorted(before, recent);
        for (var from = 0; from < all.Length;)
        {
            var end = from;
            while (end < all.Length && all[end].Stratum == all[from].Stratum)
            {
                end++;
            }

            Add(all.AsSpan(from, end - from));
            from = end;
        }

        // Where more than half of what is recent is of classes that were not seen before, what callers ask has changed and not the answers.
        if (_variance > 0 && _compared * 2 >= recent.Count)
        {
            var alike = Math.Clamp(Alike(_placesBefore), 0, MostAlike);
            Z = _excess / Math.Sqrt(_variance * (1 + alike) / (1 - alike));
        }
    }

    /// <summary>How many standard errors the recent values are above (or below) those before, by ranks within classes.</summary>
    public double Z { get; }

    /// <summary>The typical ratio of a recent value to the usual one of its class, as a logarithm.</summary>
    /// <param name="from">The first of the recent samples that are asked about.</param>
    public double LogRatio(int from)
    {
        var known = _ratios.Skip(from).Where(double.IsFinite).Order().ToArray();
        return known.Length == 0 ? 0 : Math.Log(known[known.Length / 2]);
    }

    /// <summary>
    /// The recent sample at which the change most likely began: where the running sum of places, less what lies between the usual and the recent
    /// mean, turns (the estimate that Page's cumulative sums of 1954 give).
    /// </summary>
    public int Turn()
    {
        var between = (0.5 + _placesRecent.Average()) / 2;
        var sign = Math.Sign(Z);
        var turn = 0;
        double sum = 0;
        double lowest = 0;
        for (var index = 0; index < _placesRecent.Length - 1; index++)
        {
            sum += sign * (_placesRecent[index] - between);
            if (sum < lowest)
            {
                (lowest, turn) = (sum, index + 1);
            }
        }

        return turn;
    }

    private static (int Stratum, float Value, int Index)[] Sorted(Ring<RankShift.Sample> before, Ring<RankShift.Sample> recent)
    {
        // One number for class and value: the bits of a positive float are in its order.
        var keys = new ulong[before.Count + recent.Count];
        var indices = new int[keys.Length];
        for (var index = 0; index < keys.Length; index++)
        {
            var sample = index < before.Count ? before[index] : recent[index - before.Count];
            keys[index] = ((ulong)sample.Stratum << 32) | BitConverter.SingleToUInt32Bits((float)sample.Value);
            indices[index] = index;
        }

        Array.Sort(keys, indices);
        var all = new (int, float, int)[keys.Length];
        for (var index = 0; index < all.Length; index++)
        {
            all[index] = ((int)(keys[index] >> 32), BitConverter.UInt32BitsToSingle((uint)keys[index]), indices[index]);
        }

        return all;
    }

    /// <param name="sorted">All of one class, by value.</param>
    private void Add(ReadOnlySpan<(int Stratum, float Value, int Index)> sorted)
    {
        var old = 0;
        foreach (var one in sorted)
        {
            old += one.Index < _before ? 1 : 0;
        }

        var (fresh, total) = (sorted.Length - old, sorted.Length);
        if (old < FewestBefore)
        {
            return;
        }

        var usual = MedianBefore(sorted, old);
        double ranks = 0;
        double ties = 0;
        var oldBelow = 0;
        for (var from = 0; from < total;)
        {
            var end = from;
            var oldHere = 0;
            for (; end < total && sorted[end].Value == sorted[from].Value; end++)
            {
                oldHere += sorted[end].Index < _before ? 1 : 0;
            }

            double tied = end - from;
            ranks += (tied - oldHere) * ((from + 1 + end) / 2.0);
            ties += (tied * tied * tied) - tied;
            Place(sorted[from..end], (oldBelow + (oldHere / 2.0)) / old, sorted[from].Value / usual);
            oldBelow += oldHere;
            from = end;
        }

        if (fresh > 0)
        {
            var weight = 1.0 / (total + 1);
            _excess += weight * (ranks - (fresh * (total + 1) / 2.0));
            _variance += weight * weight * (fresh * (double)old / 12) * (total + 1 - (ties / (total * (total - 1.0))));
        }
    }

    private void Place(ReadOnlySpan<(int Stratum, float Value, int Index)> tied, double place, double ratio)
    {
        foreach (var one in tied)
        {
            if (one.Index < _before)
            {
                _placesBefore[one.Index] = place;
                continue;
            }

            _placesRecent[one.Index - _before] = place;
            _ratios[one.Index - _before] = ratio;
            _compared++;
        }
    }

    private float MedianBefore(ReadOnlySpan<(int Stratum, float Value, int Index)> sorted, int old)
    {
        var left = old / 2;
        foreach (var one in sorted)
        {
            if (one.Index < _before && left-- == 0)
            {
                return one.Value;
            }
        }

        throw new InvalidOperationException("a class with earlier samples has a middle one");
    }

    /// <summary>The correlation of each place with the next one.</summary>
    private static double Alike(double[] places)
    {
        double together = 0;
        double apart = 0;
        double last = 0;
        foreach (var place in places)
        {
            var own = place - 0.5;
            together += own * last;
            apart += own * own;
            last = own;
        }

        return apart > 0 ? together / apart : 0;
    }
}
