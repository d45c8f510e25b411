namespace TokenFactory.Inference.Limits.Redis;

/// <summary>What Redis is to learn of a reservation's end.</summary>
/// <param name="IsOfUnansweredTake">The take was not answered, so it may still be on its way: it must find itself given back.</param>
internal sealed record Settlement(Reservation Reservation, Actual Actual, bool IsOfUnansweredTake = false);
