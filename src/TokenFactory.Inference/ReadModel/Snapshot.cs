using System.Collections.Frozen;
using TokenFactory.Inference.ReadModel.Policies;

namespace TokenFactory.Inference.ReadModel;

/// <summary>Everything a request is judged by, immutable and swapped as one. A request pins the snapshot it started with.</summary>
public sealed class Snapshot
{
    /// <summary>Rises with every change; a source never publishes a lower one.</summary>
    public required long Version { get; init; }

    /// <summary>The configuration revision in force, shown by <c>/health/ready</c>.</summary>
    public required string Revision { get; init; }

    public required Registry Registry { get; init; }

    public PolicyBundle Policy { get; init; } = PolicyBundle.None;

    public required FrozenDictionary<string, Tenant> Tenants { get; init; }

    public required KeyTable Keys { get; init; }

    /// <summary>The peppers under which any live secret was digested; the newest first.</summary>
    public required IReadOnlyList<Pepper> Peppers { get; init; }
}
