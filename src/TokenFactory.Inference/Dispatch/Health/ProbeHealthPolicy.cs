using System.Runtime.CompilerServices;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Model;

namespace TokenFactory.Inference.Dispatch.Health;

/// <summary>
/// Active health: an endpoint that answers at all is alive, whatever it thinks of the probe's path or credential; one that
/// refuses connections, hangs or answers 5xx twice in a row is not. One bad probe may be bad luck.
/// </summary>
internal sealed class ProbeHealthPolicy(IDestinationHealthUpdater updater) : IActiveHealthCheckPolicy
{
    public const string PolicyName = "Probes";
    private const int FailuresInARow = 2;

    private readonly ConditionalWeakTable<DestinationState, StrongBox<int>> _failures = [];

    public string Name => PolicyName;

    public void ProbingCompleted(ClusterState cluster, IReadOnlyList<DestinationProbingResult> probingResults)
    {
        var health = new List<NewActiveDestinationHealth>(probingResults.Count);
        foreach (var result in probingResults)
        {
            var failures = _failures.GetOrCreateValue(result.Destination);
            failures.Value = result.Response is { } response && (int)response.StatusCode < 500 ? 0 : failures.Value + 1;
            health.Add(new NewActiveDestinationHealth(result.Destination, failures.Value < FailuresInARow ? DestinationHealth.Healthy : DestinationHealth.Unhealthy));
        }

        updater.SetActive(cluster, health);
    }
}
