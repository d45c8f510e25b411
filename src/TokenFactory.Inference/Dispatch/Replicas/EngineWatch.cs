using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using TokenFactory.Inference.ReadModel;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Model;

namespace TokenFactory.Inference.Dispatch.Replicas;

/// <summary>
/// Asks each replica of the deployments that have <c>load</c> how loaded its engine is, each on its interval, through the deployment's own HTTP client.
/// The gateway's credential is not sent: the page lies outside what it is for. Bounded in size and time; what does not answer is not known, and
/// requests are balanced without it.
/// </summary>
internal sealed partial class EngineWatch(SnapshotStore snapshots, IProxyStateLookup clusters, EngineLoads loads, TimeProvider clock, ILogger<EngineWatch> logger) : BackgroundService
{
    private const int MostBytes = 1024 * 1024;
    private const int MostAtOnce = 64;

    private static readonly TimeSpan _tick = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan _leastPatience = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan _mostPatience = TimeSpan.FromSeconds(2);

    private readonly Dictionary<string, long> _askedAt = new(StringComparer.Ordinal);
    private readonly HashSet<(string, string)> _silent = [];

    /// <summary>Asks whoever is due, all at the same time.</summary>
    public async Task LookAsync(CancellationToken cancel)
    {
        var watched = (snapshots.Current?.Registry.Deployments.Values ?? []).Where(static one => one.Load is not null).ToArray();
        if (watched.Length == 0)
        {
            return;
        }

        List<(Deployment Deployment, ClusterState Cluster)> due = [];
        HashSet<(string, string)> configured = [];
        foreach (var deployment in watched)
        {
            configured.UnionWith(deployment.Endpoints.Select(endpoint => (deployment.Name, endpoint.ToString())));
            if (IsDue(deployment) && clusters.TryGetCluster(deployment.Name, out var cluster))
            {
                due.Add((deployment, cluster));
            }
        }

        loads.Keep(configured);
        await Parallel.ForEachAsync(
            due.SelectMany(static one => one.Cluster.DestinationsState.AllDestinations.Select(replica => (one.Deployment, one.Cluster, Replica: replica))),
            new ParallelOptions { MaxDegreeOfParallelism = MostAtOnce, CancellationToken = cancel },
            async (one, stop) => await AskAsync(one.Deployment, one.Cluster, one.Replica, stop));
        foreach (var (deployment, cluster) in due)
        {
            loads.Tell(deployment, cluster.DestinationsState.AllDestinations);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(_tick, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            try
            {
                await LookAsync(stoppingToken);
            }
            catch (Exception cause)
            {
                // The edge of a background loop: requests are balanced without what could not be learnt.
                if (!stoppingToken.IsCancellationRequested)
                {
                    Log.Failed(logger, cause);
                }
            }
        }
    }

    /// <summary>The endpoint's origin and the path: engines serve the page at the root, beside <c>/v1</c>.</summary>
    internal static Uri PageOf(string endpoint, string path) => new(new Uri(endpoint).GetLeftPart(UriPartial.Authority) + "/" + path);

    private bool IsDue(Deployment deployment)
    {
        if (_askedAt.TryGetValue(deployment.Name, out var asked) && clock.GetElapsedTime(asked) < deployment.Load!.Interval)
        {
            return false;
        }

        _askedAt[deployment.Name] = clock.GetTimestamp();
        return true;
    }

    private async Task AskAsync(Deployment deployment, ClusterState cluster, DestinationState replica, CancellationToken stop)
    {
        // One that hangs must not make the others' figures old.
        var patience = TimeSpan.FromTicks(Math.Clamp(deployment.Load!.Interval.Ticks, _leastPatience.Ticks, _mostPatience.Ticks));
        using var bound = new CancellationTokenSource(patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(bound.Token, stop);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, PageOf(replica.DestinationId, deployment.Load.Path));
            using var response = await cluster.Model.HttpClient.SendAsync(request, either.Token);
            if (response.IsSuccessStatusCode && EngineReport.Read(await PageAsync(response, either.Token)) is { } report)
            {
                loads.Hear(deployment, replica, report);
                Note(deployment.Name, replica.DestinationId, problem: null);
                return;
            }

            Note(deployment.Name, replica.DestinationId, $"status {(int)response.StatusCode}, and no figures of vLLM or SGLang");
        }
        catch (Exception cause) when (cause is HttpRequestException or IOException or OperationCanceledException or InvalidDataException && !stop.IsCancellationRequested)
        {
            Note(deployment.Name, replica.DestinationId, cause is OperationCanceledException ? "no answer in time" : cause.Message);
        }
    }

    private static async Task<byte[]> PageAsync(HttpResponseMessage response, CancellationToken cancel)
    {
        await using var body = await response.Content.ReadAsStreamAsync(cancel);
        using var page = new MemoryStream();
        var buffer = new byte[16 * 1024];
        while (await body.ReadAsync(buffer, cancel) is var read and > 0)
        {
            if (page.Length + read > MostBytes)
            {
                throw new InvalidDataException("the page is larger than 1 MB");
            }

            page.Write(buffer, 0, read);
        }

        return page.ToArray();
    }

    /// <summary>Says once when a replica begins to say nothing, and once when it speaks again.</summary>
    private void Note(string deployment, string replica, string? problem)
    {
        bool changed;
        lock (_silent)
        {
            changed = problem is null ? _silent.Remove((deployment, replica)) : _silent.Add((deployment, replica));
        }

        if (changed && problem is not null)
        {
            Log.Silent(logger, deployment, replica, problem);
        }
        else if (changed)
        {
            Log.Speaks(logger, deployment, replica);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(7101, LogLevel.Warning, "The load of {Deployment} at {Replica} is not known, and requests are balanced without it: {Problem}")]
        public static partial void Silent(ILogger logger, string deployment, string replica, string problem);

        [LoggerMessage(7102, LogLevel.Information, "The load of {Deployment} at {Replica} is known again")]
        public static partial void Speaks(ILogger logger, string deployment, string replica);

        [LoggerMessage(7103, LogLevel.Error, "The engines' load could not be asked for")]
        public static partial void Failed(ILogger logger, Exception cause);
    }
}
