namespace TokenFactory.TestKit.Upstream;

public sealed record FakeUpstreamOptions
{
    /// <summary>A given port, to come back where another upstream has been; else a free one.</summary>
    public int? Port { get; init; }

    public string Name { get; init; } = "";

    /// <summary>Off for load: the books then hold no bodies.</summary>
    public bool KeepBodies { get; init; } = true;

    /// <summary>The oldest requests are forgotten beyond this; the totals are not.</summary>
    public int KeepRequests { get; init; } = 100_000;
}
