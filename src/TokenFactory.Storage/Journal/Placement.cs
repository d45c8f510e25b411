using TokenFactory.Storage.Ledger;

namespace TokenFactory.Storage.Journal;

/// <summary>Where a request ran, or was about to run, and at which price.</summary>
public sealed record Placement(string Deployment, string Provider, string? Region, string UpstreamModel, string? UpstreamVersion, Price Price);
