namespace TokenFactory.Inference.Limits.Local;

/// <param name="Cells">One for each of the demand's buckets, pinned until the reservation is closed; rented from the partition.</param>
/// <param name="Levels">Kept so that taking the same id again gets the same answer.</param>
/// <param name="TakenInMonth">The month its budgets were taken from, whenever it is settled.</param>
/// <param name="Deadline">On the monotonic clock, in milliseconds.</param>
internal readonly record struct OpenReservation(Reservation Reservation, Cell[] Cells, Level[] Levels, int TakenInMonth, long Deadline);
