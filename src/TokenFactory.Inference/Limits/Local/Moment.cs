namespace TokenFactory.Inference.Limits.Local;

/// <summary>One reading of the clocks, shared by every bucket of a take so that all of them decide at the same instant.</summary>
/// <param name="Milliseconds">Monotonic; never jumps with the wall clock, so rates and leases do not either.</param>
/// <param name="UntilMonthEnds">Wall-clock time left in <paramref name="Month"/>.</param>
/// <param name="Month">Months since year 0, UTC: the window budgets count in.</param>
internal readonly record struct Moment(long Milliseconds, int Month, TimeSpan UntilMonthEnds);
