using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using TokenFactory.Inference.ReadModel;
using Yarp.ReverseProxy.LoadBalancing;
using Yarp.ReverseProxy.Model;

namespace TokenFactory.Inference.Dispatch.Replicas;

/// <summary>
/// Picks among a deployment's replicas that are healthy: by the prompt's beginning where the deployment asks for it, else the less loaded of two drawn
/// at random. A replica's load is what its engine says, plus what was sent there since it said so; where an engine says nothing, what this process has open there.
/// </summary>
internal sealed class ReplicaPolicy(EngineLoads engines, Random random) : ILoadBalancingPolicy
{
    public const string PolicyName = "Replicas";

    private readonly ConditionalWeakTable<DestinationState, StrongBox<ulong>> _numbers = [];

    public string Name => PolicyName;

    public DestinationState? PickDestination(HttpContext context, ClusterState cluster, IReadOnlyList<DestinationState> availableDestinations)
    {
        var scope = context.Features.Get<AttemptScope>();
        if (availableDestinations.Count < 2 || scope is null)
        {
            return availableDestinations.Count == 0 ? null : availableDestinations[0];
        }

        return scope.Deployment.Affinity == Affinity.Prefix && PromptPrefix.Of(scope.Exchange.Ask, scope.Exchange.Caller.Tenant.Name) is { } key
            ? Belonging(key, scope.Deployment, availableDestinations)
            : LessLoaded(scope.Deployment, availableDestinations);
    }

    private DestinationState Belonging(ulong key, Deployment deployment, IReadOnlyList<DestinationState> replicas)
    {
        Span<ulong> numbers = replicas.Count <= 64 ? stackalloc ulong[replicas.Count] : new ulong[replicas.Count];
        Span<double> loads = replicas.Count <= 64 ? stackalloc double[replicas.Count] : new double[replicas.Count];
        var known = engines.AllKnown(deployment, replicas);
        for (var index = 0; index < replicas.Count; index++)
        {
            numbers[index] = _numbers.GetValue(replicas[index], static replica => new StrongBox<ulong>(Rendezvous.NumberOf(replica.DestinationId))).Value;
            loads[index] = LoadOf(known, deployment, replicas[index]);
        }

        return replicas[Rendezvous.Pick(key, numbers, loads)];
    }

    private DestinationState LessLoaded(Deployment deployment, IReadOnlyList<DestinationState> replicas)
    {
        var first = random.Next(replicas.Count);
        var second = (first + 1 + random.Next(replicas.Count - 1)) % replicas.Count;
        var known = engines.AllKnown(deployment, replicas);
        return LoadOf(known, deployment, replicas[first]) <= LoadOf(known, deployment, replicas[second]) ? replicas[first] : replicas[second];
    }

    /// <summary>Engines' figures are of all gateways and of callers beside them; they are only compared with each other.</summary>
    private double LoadOf(bool known, Deployment deployment, DestinationState replica) =>
        known && engines.Of(deployment.Name, replica) is { } load ? load : replica.ConcurrentRequestCount;
}
