namespace TokenFactory.Storage.Journal;

/// <summary>One try at one deployment.</summary>
/// <param name="Status">The backend's HTTP status; null when no head arrived.</param>
/// <param name="Error">A code of the gateway's closed error list, null when the attempt carried the answer.</param>
public sealed record Attempt(int Ordinal, string Deployment, string Provider, string? Region, int? Status, string? Error, DateTimeOffset StartedAt, TimeSpan Duration);
