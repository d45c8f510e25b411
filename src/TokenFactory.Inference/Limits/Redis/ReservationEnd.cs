namespace TokenFactory.Inference.Limits.Redis;

/// <summary>What Redis is to learn of a reservation's end.</summary>
/// <param name="IsOfUnansweredTake">The take was not answered, so nobody knows whether it is still on its way.</param>
internal sealed record ReservationEnd(Reservation Reservation, Actual Actual, bool IsOfUnansweredTake = false)
{
    /// <summary>A take may arrive after a later settlement where its connection was replaced: for as long as a kernel sends over and over what was not acknowledged.</summary>
    private static readonly TimeSpan _latestTake = TimeSpan.FromMinutes(20);

    /// <summary>It goes through the take's own connection, right behind it.</summary>
    public bool FollowsItsTake { get; init; }

    /// <summary>How long a take that is still on its way must find itself given back; zero where none can be.</summary>
    public TimeSpan Marks => IsOfUnansweredTake && !FollowsItsTake ? _latestTake : TimeSpan.Zero;

    /// <summary>How long it is worth sending.</summary>
    public TimeSpan Life => Marks > Reservation.Demand.Lease ? Marks : Reservation.Demand.Lease;
}
