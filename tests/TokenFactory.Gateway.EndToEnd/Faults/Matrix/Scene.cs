namespace TokenFactory.Gateway.EndToEnd.Faults.Matrix;

/// <summary>What a fault has at hand while it happens.</summary>
/// <param name="Frozen">How long what is frozen stays so; longer than a lease.</param>
internal sealed record Scene(FaultSite Site, Book Book, Traffic Traffic, Allowances Allowed, Random Random, TimeSpan Frozen)
{
    /// <summary>One of the replicas, by the seed.</summary>
    public Replica Any() => Site.Replicas[Random.Next(Site.Replicas.Count)];

    /// <summary>A moment drawn from the seed.</summary>
    public Task MomentAsync(int least, int most) => Task.Delay(Random.Next(least, most));
}
