using Microsoft.Extensions.Hosting;
using TokenFactory.Inference.ReadModel;
using Yarp.ReverseProxy;

namespace TokenFactory.Inference.Dispatch;

/// <summary>Holds the start until YARP has taken the first snapshot's clusters, which it does in the background: the first request must find them.</summary>
internal sealed class ClustersInForce(SnapshotStore snapshots, IProxyStateLookup clusters, TimeProvider clock) : IHostedService
{
    private static readonly TimeSpan _look = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan _within = TimeSpan.FromSeconds(10);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var started = clock.GetTimestamp();
        while (!(snapshots.Current?.Registry.Deployments.Keys ?? []).All(name => clusters.TryGetCluster(name, out _)))
        {
            if (clock.GetElapsedTime(started) > _within)
            {
                throw new TimeoutException("the reverse proxy did not take over the configured deployments");
            }

            await Task.Delay(_look, clock, cancellationToken);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
