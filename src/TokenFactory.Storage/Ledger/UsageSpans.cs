namespace TokenFactory.Storage.Ledger;

/// <summary>
/// A stretch of time as the whole UTC days in it, which the daily totals answer, and what is left at its ends, which only the
/// settlements can.
/// </summary>
/// <param name="Days">From the first day to the one after the last; an open end is null. Null when no whole day is in it.</param>
/// <param name="Edges">Each from a moment to the one it no longer holds; an open end is null.</param>
internal sealed record UsageSpans((DateOnly? First, DateOnly? End)? Days, IReadOnlyList<(DateTimeOffset? From, DateTimeOffset? Until)> Edges)
{
    public static UsageSpans Of(DateTimeOffset? from, DateTimeOffset? until)
    {
        var first = from is { } start ? DayFrom(start) : null;
        var end = until is { } stop ? DateOnly.FromDateTime(stop.UtcDateTime) : (DateOnly?)null;

        // A stretch that starts within the last day there is has no whole day after it.
        if ((from is not null && first is null) || (first is { } one && end is { } other && one >= other))
        {
            return new UsageSpans(null, [(from, until)]);
        }

        List<(DateTimeOffset?, DateTimeOffset?)> edges = [];
        if (first is { } firstDay && Midnight(firstDay) is var morning && from < morning)
        {
            edges.Add((from, morning));
        }

        if (end is { } endDay && Midnight(endDay) is var evening && evening < until)
        {
            edges.Add((evening, until));
        }

        return new UsageSpans((first, end), edges);
    }

    /// <returns>Null when there is no such day.</returns>
    private static DateOnly? DayFrom(DateTimeOffset moment)
    {
        var day = DateOnly.FromDateTime(moment.UtcDateTime);
        return moment.UtcDateTime.TimeOfDay == TimeSpan.Zero ? day : day < DateOnly.MaxValue ? day.AddDays(1) : null;
    }

    private static DateTimeOffset Midnight(DateOnly day) => new(day, TimeOnly.MinValue, TimeSpan.Zero);
}
