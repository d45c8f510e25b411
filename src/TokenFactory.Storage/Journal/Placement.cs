using TokenFactory.Storage.Ledger;

namespace TokenFactory.Storage.Journal;

/// <summary>Where a request ran, or was about to run, and at which price.</summary>
/// <param name="Site">More exactly than the region, as JSON (<c>zone</c>, <c>cluster</c>, <c>node_pool</c>, <c>ownership</c>); null when nothing of it is known.</param>
public sealed record Placement(
    string Deployment, string Provider, string? Region, string UpstreamModel, string? UpstreamVersion, Price Price, string? Site = null);
