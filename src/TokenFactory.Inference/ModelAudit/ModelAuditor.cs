using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Storage;
using TokenFactory.Storage.ModelAudit;

namespace TokenFactory.Inference.ModelAudit;

/// <summary>
/// Once a second takes what the requests left of each deployment, adds it up and asks whether it changed. A deployment that was configured
/// anew is another one, one that is gone is none: what was found of it is over, and its tests begin anew. Runs beside the requests, and none ever waits for it.
/// </summary>
internal sealed partial class ModelAuditor(AnswerWatch answers, AuditBook book, SnapshotStore snapshots, ModelAuditMetrics metrics, Instance instance, TimeProvider clock, ILogger<ModelAuditor> logger) : BackgroundService
{
    private static readonly TimeSpan _every = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _lastWords = TimeSpan.FromSeconds(5);

    private readonly Dictionary<string, Watched> _watched = new(StringComparer.Ordinal);
    private Registry? _registry;
    private AnswerSample[] _samples = new AnswerSample[16];

    /// <summary>One turn.</summary>
    public void Look()
    {
        var at = clock.GetUtcNow();
        foreach (var watch in answers.All)
        {
            var (count, dropped) = watch.Take(ref _samples);
            if (dropped > 0)
            {
                metrics.Dropped(dropped);
            }

            if (count == 0)
            {
                continue;
            }

            var name = watch.Deployment.Name;
            if (!_watched.TryGetValue(name, out var watched) || !ReferenceEquals(watched.Watch, watch))
            {
                EndAll(watched, at);
                _watched[name] = watched = new Watched(watch);
            }

            var samples = _samples.AsSpan(0, count);
            book.Add(name, samples, at);
            watched.Audit.Take(samples, at, finding => Found(watched, finding, at), watch.Deployment.UpstreamModel is not null);
            samples.Clear();
        }

        ForgetGone(at);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var writing = Task.CompletedTask;
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(_every, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            try
            {
                Look();
            }
            catch (Exception bug)
            {
                // The edge of a background loop: a bug here must cost flags and not the process that serves.
                Log.NotLooked(logger, bug);
            }

            // A store that is slow or away holds up the writing, and not the looking.
            if (writing.IsCompleted && book.IsDue)
            {
                writing = book.WriteAsync(CancellationToken.None);
            }
        }

        await writing.WaitAsync(_lastWords, clock, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await book.WriteAsync(CancellationToken.None).WaitAsync(_lastWords, clock, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Names come and go with whoever registers deployments.</summary>
    private void ForgetGone(DateTimeOffset at)
    {
        if (snapshots.Current?.Registry is not { } registry || ReferenceEquals(registry, _registry))
        {
            return;
        }

        _registry = registry;
        foreach (var watch in answers.All)
        {
            var name = watch.Deployment.Name;
            if (!registry.Deployments.ContainsKey(name))
            {
                answers.Forget(name);
                _watched.Remove(name, out var watched);
                EndAll(watched, at);
                book.Forget(name);
                metrics.Forget(name);
            }
        }
    }

    private void EndAll(Watched? watched, DateTimeOffset at) => watched?.Open.Keys.ToList().ForEach(kind => End(watched, kind, at));

    private void Found(Watched watched, Finding finding, DateTimeOffset at)
    {
        End(watched, finding.Kind, at);
        if (finding.Change is not { } change)
        {
            return;
        }

        var deployment = watched.Watch.Deployment;
        var flag = new AuditFlag
        {
            Id = Ids.New(clock),
            InstanceId = instance.Id,
            Deployment = deployment.Name,
            Provider = deployment.Provider.Name,
            Region = deployment.EffectiveRegion,
            UpstreamModel = deployment.UpstreamModel,
            UpstreamVersion = deployment.Version,
            Kind = finding.Kind,
            Since = change.Since,
            DetectedAt = at,
            Before = change.Before,
            After = change.After,
        };
        watched.Open[finding.Kind] = flag.Id;
        book.Raise(flag);
        metrics.Raised(deployment.Name, finding.Kind);
        Log.Changed(logger, deployment.Name, AuditedKinds.NameOf(finding.Kind), change.Before, change.After, change.Since);
    }

    private void End(Watched watched, AuditedKind kind, DateTimeOffset at)
    {
        if (watched.Open.Remove(kind, out var flag))
        {
            var name = watched.Watch.Deployment.Name;
            book.End(flag, at);
            metrics.Ended(name, kind);
            Log.Over(logger, name, AuditedKinds.NameOf(kind));
        }
    }

    private sealed record Watched(DeploymentWatch Watch)
    {
        public DeploymentAudit Audit { get; } = new();

        public Dictionary<AuditedKind, Guid> Open { get; } = [];
    }

    private static partial class Log
    {
        [LoggerMessage(9101, LogLevel.Warning, "{Deployment} is not what it was: {Kind} changed from {Before} to {After} since {Since:u}, and its configuration did not")]
        public static partial void Changed(ILogger logger, string deployment, string kind, string before, string after, DateTimeOffset since);

        [LoggerMessage(9102, LogLevel.Information, "{Deployment}: the change of {Kind} is over")]
        public static partial void Over(ILogger logger, string deployment, string kind);

        [LoggerMessage(9104, LogLevel.Error, "The model audit met a bug; what it was given this second is not in it")]
        public static partial void NotLooked(ILogger logger, Exception cause);
    }
}
