using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Storage.Journal;

namespace TokenFactory.Inference.Dispatch.Standing;

/// <summary>How each deployment stands with this process. As many as the configuration has named since the start.</summary>
internal sealed partial class Standings
{
    private readonly ConcurrentDictionary<string, DeploymentStanding> _standings = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool> _learnt = new(StringComparer.Ordinal);
    private readonly GatewayMetrics _metrics;
    private readonly TimeProvider _clock;
    private readonly ILogger<Standings> _logger;

    public Standings(GatewayMetrics metrics, TimeProvider clock, ILogger<Standings> logger)
    {
        (_metrics, _clock, _logger) = (metrics, clock, logger);
        metrics.ObservePassedOver(() => _standings.Select(one => (one.Key, one.Value.PassedOver?.Reason)));
    }

    /// <summary>Begun anew when the deployment's settings have changed.</summary>
    public DeploymentStanding Of(Deployment deployment)
    {
        var standing = _standings.GetOrAdd(deployment.Name, static (_, made) => made.Self.Make(made.Deployment), (Self: this, Deployment: deployment));
        if (standing.Fits(deployment))
        {
            return standing;
        }

        var anew = Make(deployment);
        return _standings.TryUpdate(deployment.Name, anew, standing) ? anew : _standings[deployment.Name];
    }

    /// <summary>It answered, and somebody judged of what use that is. A request of a configuration that is not in force any more says nothing.</summary>
    public void Answered(Deployment deployment, bool isLow)
    {
        if (_standings.TryGetValue(deployment.Name, out var standing) && standing.Fits(deployment))
        {
            standing.Answered(isLow);
        }
    }

    /// <summary>The rests that were learnt here since the last call, for others to know; a circuit, and what answers are worth, is each replica's own view.</summary>
    public IReadOnlyList<(string Deployment, string Reason, TimeSpan Left)> TakeLearnt()
    {
        List<(string, string, TimeSpan)> learnt = [];
        foreach (var (deployment, _) in _learnt)
        {
            if (_learnt.TryRemove(deployment, out _) && _standings[deployment].PassedOver is { } over && over.Reason is not (Skip.CircuitOpen or Skip.LowQuality))
            {
                learnt.Add((deployment, over.Reason, over.Left));
            }
        }

        return learnt;
    }

    /// <summary>They could not be told.</summary>
    public void PutBack(IReadOnlyList<(string Deployment, string Reason, TimeSpan Left)> learnt)
    {
        foreach (var one in learnt)
        {
            _learnt.TryAdd(one.Deployment, true);
        }
    }

    /// <summary>Another replica learnt it. What no request here has met yet is not kept: the next word comes in a second.</summary>
    public void Hear(string deployment, string reason, TimeSpan left)
    {
        if (_standings.TryGetValue(deployment, out var standing))
        {
            standing.Hear(reason, left);
        }
    }

    private DeploymentStanding Make(Deployment deployment) => new(deployment, _clock, Random.Shared, (reason, length) =>
    {
        _learnt.TryAdd(deployment.Name, true);
        _metrics.PassedOver(deployment.Name, reason);
        Log.PassedOver(_logger, deployment.Name, length, reason);
    });

    private static partial class Log
    {
        [LoggerMessage(7002, LogLevel.Warning, "{Deployment} is passed over for {Length}: {Reason}")]
        public static partial void PassedOver(ILogger logger, string deployment, TimeSpan length, string reason);
    }
}
