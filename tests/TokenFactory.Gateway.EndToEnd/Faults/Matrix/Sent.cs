namespace TokenFactory.Gateway.EndToEnd.Faults.Matrix;

/// <summary>One call of the traffic, where it went and when, by the clients' own monotonic clock.</summary>
internal sealed record Sent(Call Call, Replica Replica, string Key, long At, long EndedAt);
