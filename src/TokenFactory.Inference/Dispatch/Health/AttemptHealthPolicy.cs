using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Model;

namespace TokenFactory.Inference.Dispatch.Health;

/// <summary>
/// Passive health: a replica that fails several attempts in a row rests for a while. A 5xx, a timeout and a cut count as
/// much as a refused connection; a client that hangs up, or a 4xx about the request, says nothing of the replica.
/// </summary>
internal sealed class AttemptHealthPolicy(IDestinationHealthUpdater updater, DispatchOptions options) : IPassiveHealthCheckPolicy
{
    public const string PolicyName = "Attempts";
    private const int FailuresInARow = 3;

    private static readonly TimeSpan _unsaidRest = TimeSpan.FromSeconds(1);

    private readonly ConditionalWeakTable<DestinationState, StrongBox<int>> _failures = [];

    public string Name => PolicyName;

    public void RequestProxied(HttpContext context, ClusterState cluster, DestinationState destination)
    {
        if (context.Features.Get<AttemptScope>() is not { } scope)
        {
            return;
        }

        if (scope is { Rest: { } rest, Deployment.Endpoints.Count: > 1 })
        {
            RestAlone(scope, destination, rest.Asked ?? _unsaidRest);
        }

        var failures = _failures.GetOrCreateValue(destination);
        if (!Failed(context, scope))
        {
            failures.Value = 0;
            return;
        }

        if (Interlocked.Increment(ref failures.Value) >= FailuresInARow)
        {
            failures.Value = 0;
            // YARP gives the matched route's cluster here; the replicas to choose from are those of the one the attempt was sent to.
            updater.SetPassive(scope.Cluster, destination, DestinationHealth.Unhealthy, options.PassiveRest);
        }
    }

    /// <summary>One of several replicas says that it is overloaded: the others are not, and serve on.</summary>
    private void RestAlone(AttemptScope scope, DestinationState destination, TimeSpan asked)
    {
        var rest = asked < scope.Deployment.MaxRest ? asked : scope.Deployment.MaxRest;
        if (rest > TimeSpan.Zero)
        {
            updater.SetPassive(scope.Cluster, destination, DestinationHealth.Unhealthy, rest);
        }
    }

    private static bool Failed(HttpContext context, AttemptScope scope)
    {
        if (scope.Clock.Expired != ClockName.None || scope.Status >= 500 || scope.Exchange.BackendFault is { Error.IsOwn: false })
        {
            return true;
        }

        return context.Features.Get<IForwarderErrorFeature>()?.Error
            is ForwarderError.Request or ForwarderError.RequestTimedOut or ForwarderError.ResponseBodyDestination;
    }
}
