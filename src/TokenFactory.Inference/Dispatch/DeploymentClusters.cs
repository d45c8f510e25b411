using Microsoft.Extensions.Primitives;
using TokenFactory.Inference.Dispatch.Health;
using TokenFactory.Inference.Dispatch.Replicas;
using TokenFactory.Inference.ReadModel;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.LoadBalancing;

namespace TokenFactory.Inference.Dispatch;

/// <summary>Gives YARP one cluster per deployment of the snapshot in force, and the closed list of inference routes.</summary>
internal sealed class DeploymentClusters : IProxyConfigProvider, IDisposable
{
    /// <summary>The cluster routes point at before the plan is known; it has no destination.</summary>
    private const string Unplanned = "(unplanned)";

    // YARP's own clock over an attempt; ours (AttemptClock) are shorter and know which one ran out.
    private static readonly TimeSpan _beyond = TimeSpan.FromDays(7);

    private readonly SnapshotStore _snapshots;
    private readonly DispatchOptions _options;
    private readonly Lock _swap = new();
    private Config _config;

    public DeploymentClusters(SnapshotStore snapshots, DispatchOptions options)
    {
        _snapshots = snapshots;
        _options = options;
        _config = new Config(this, snapshots.Current?.Registry ?? Registry.Empty);
        snapshots.Changed += Swap;
    }

    public IProxyConfig GetConfig() => Volatile.Read(ref _config);

    public void Dispose() => _snapshots.Changed -= Swap;

    private void Swap(Snapshot snapshot)
    {
        lock (_swap)
        {
            // Keys change often, deployments seldom: the same registry needs no new clusters.
            if (ReferenceEquals(snapshot.Registry, _config.Registry))
            {
                return;
            }

            var before = _config;
            Volatile.Write(ref _config, new Config(this, snapshot.Registry));
            before.Expire();
        }
    }

    private ClusterConfig ClusterOf(Deployment deployment) => new()
    {
        ClusterId = deployment.Name,
        LoadBalancingPolicy = deployment is { Affinity: Affinity.None, Load: null } ? LoadBalancingPolicies.PowerOfTwoChoices : ReplicaPolicy.PolicyName,
        HttpRequest = new ForwarderRequestConfig { ActivityTimeout = _beyond, AllowResponseBuffering = false },
        Destinations = Destinations(deployment),
        HealthCheck = new HealthCheckConfig
        {
            // When no replica is healthy, asking one still beats refusing; a plan asks healthier deployments first.
            AvailableDestinationsPolicy = "HealthyOrPanic",
            Passive = new PassiveHealthCheckConfig { Enabled = true, Policy = AttemptHealthPolicy.PolicyName, ReactivationPeriod = _options.PassiveRest },
            Active = deployment is { HealthPath: { } path, Provider.IsInside: false }
                ? new ActiveHealthCheckConfig
                {
                    Enabled = true,
                    Interval = deployment.HealthInterval,
                    Timeout = _options.ProbeTimeout,
                    Policy = ProbeHealthPolicy.PolicyName,
                    Path = path,
                }
                : null,
        },
        Metadata = MetadataOf(deployment),
    };

    private Dictionary<string, string> MetadataOf(Deployment deployment)
    {
        var metadata = new Dictionary<string, string>
        {
            [ForwardClients.KindKey] = deployment.Provider.Kind.ToString(),
            [ForwardClients.AnswerKey] = deployment.Answer ?? "",
            [ForwardClients.ConnectKey] = (deployment.Clocks ?? _options.Clocks).Connect.TotalMilliseconds.ToString(System.Globalization.CultureInfo.InvariantCulture),
        };
        if (deployment.Provider.Reach is { } reach)
        {
            metadata[ForwardClients.ReachKey] = reach.ToString();
        }

        return metadata;
    }

    private static Dictionary<string, DestinationConfig> Destinations(Deployment deployment) =>
        deployment.Provider.IsInside
            ? new() { ["loopback"] = new DestinationConfig { Address = $"http://{Deployment.InsideHost}/v1" } }
            : deployment.Endpoints.ToDictionary(e => e.ToString(), e => new DestinationConfig { Address = e.ToString().TrimEnd('/') });

#pragma warning disable CA1001 // see _expired
    private sealed class Config : IProxyConfig
#pragma warning restore CA1001
    {
        // Never disposed: YARP holds its token as long as it likes, and without a timer there is nothing to free.
        private readonly CancellationTokenSource _expired = new();

        public Config(DeploymentClusters owner, Registry registry)
        {
            Registry = registry;
            ChangeToken = new CancellationChangeToken(_expired.Token);
            Routes = [.. InferenceRoutes.All.Select(route => new RouteConfig
            {
                RouteId = route.Id,
                ClusterId = Unplanned,
                Match = new RouteMatch { Path = route.Path, Methods = ["POST"] },
            })];
            Clusters = [new ClusterConfig { ClusterId = Unplanned }, .. registry.Deployments.Values.Select(owner.ClusterOf)];
        }

        public Registry Registry { get; }

        public IReadOnlyList<RouteConfig> Routes { get; }

        public IReadOnlyList<ClusterConfig> Clusters { get; }

        public IChangeToken ChangeToken { get; }

        public void Expire() => _expired.Cancel();
    }
}
