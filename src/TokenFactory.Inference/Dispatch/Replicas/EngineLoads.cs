using System.Collections.Concurrent;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.Routing;
using Yarp.ReverseProxy.Model;

namespace TokenFactory.Inference.Dispatch.Replicas;

/// <summary>What the engines said last. What is older than three intervals, and than some seconds, is not known any more.</summary>
internal sealed class EngineLoads(Observations observed, TimeProvider clock)
{
    private static readonly TimeSpan _least = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<(string Deployment, string Replica), Said> _said = new();

    /// <summary>Who is configured no longer is forgotten.</summary>
    public void Keep(IReadOnlySet<(string Deployment, string Replica)> configured)
    {
        foreach (var key in _said.Keys)
        {
            if (!configured.Contains(key))
            {
                _said.TryRemove(key, out _);
            }
        }
    }

    public void Hear(Deployment deployment, DestinationState replica, EngineReport report)
    {
        _said[(deployment.Name, replica.DestinationId)] = new Said(report.Load, replica.ConcurrentRequestCount, clock.GetTimestamp(), KeptFor(deployment));
    }

    /// <summary>Requests there, those this process has sent there since the engine spoke included; null when it is not known.</summary>
    public double? Of(string deployment, DestinationState replica) =>
        _said.TryGetValue((deployment, replica.DestinationId), out var said) && clock.GetElapsedTime(said.At) < said.Kept
            ? Math.Max(0, said.Load + replica.ConcurrentRequestCount - said.OwnThen)
            : null;

    public bool AllKnown(Deployment deployment, IReadOnlyList<DestinationState> replicas)
    {
        if (deployment.Load is null)
        {
            return false;
        }

        foreach (var replica in replicas)
        {
            if (Of(deployment.Name, replica) is null)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Tells the stop before what the replicas of a deployment have together; while one of them says nothing, nothing is known.</summary>
    public void Tell(Deployment deployment, IReadOnlyList<DestinationState> replicas)
    {
        // An engine that is too busy to answer is not an idle one.
        double total = 0;
        foreach (var replica in replicas)
        {
            if (Of(deployment.Name, replica) is not { } load)
            {
                return;
            }

            total += load;
        }

        if (replicas.Count > 0)
        {
            observed.Of(deployment.Name).Engines(total, KeptFor(deployment));
        }
    }

    private static TimeSpan KeptFor(Deployment deployment) => deployment.Load!.Interval * 3 is var three && three > _least ? three : _least;

    private sealed record Said(double Load, int OwnThen, long At, TimeSpan Kept);
}
