using System.Collections.Frozen;
using System.Runtime;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using TokenFactory.Administration.Configuration;
using TokenFactory.Administration.Configuration.Settings;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Keys;

namespace TokenFactory.Administration.Iam.Platform;

/// <summary>
/// Keeps the snapshot in platform mode: tenants and keys of the platform, models and deployments of the configuration. Fails
/// closed (P4): an answer that is refused confirms nothing, and an unconfirmed snapshot goes stale by itself while the last
/// good one serves out its bound. A snapshot is as old as the question that it answers.
/// </summary>
internal sealed partial class PlatformReadModelSource : IHostedService, IDisposable
{
    private static readonly TimeSpan _longestPause = TimeSpan.FromSeconds(10);

    private readonly PlatformSettings _settings;
    private readonly PlatformReadModel _model;
    private readonly ConfigurationState _state;
    private readonly SnapshotStore _store;
    private readonly PlatformMetrics _metrics;
    private readonly TimeProvider _clock;
    private readonly ILogger<PlatformReadModelSource> _logger;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _publishing = new();
    private Task _loop = Task.CompletedTask;
    private Holding? _holding;
    private (GatewayConfiguration Configuration, Registry Registry)? _registry;
    private int _failures;
    private AnswerRefusal? _said;

    public PlatformReadModelSource(
        PlatformSettings settings,
        PlatformClient client,
        ConfigurationState state,
        SnapshotStore store,
        PlatformMetrics metrics,
        TimeProvider clock,
        ILogger<PlatformReadModelSource> logger)
    {
        _settings = settings;
        _model = new PlatformReadModel(client);
        _state = state;
        _store = store;
        _metrics = metrics;
        _clock = clock;
        _logger = logger;
        state.Changed += Reconfigure;
    }

    /// <summary>Waits for the first read model as long as one may be old: a process that cannot know its keys does not start (P12).</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        // Nobody is served yet, whom a collection would keep waiting: concurrent ones only make the start longer.
        var collecting = GCSettings.LatencyMode;
        GCSettings.LatencyMode = GCLatencyMode.Batch;
        try
        {
            await WaitForFirstAsync(cancellationToken);
        }
        finally
        {
            GCSettings.LatencyMode = collecting;
        }

        _loop = LoopAsync(_stopping.Token);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        await _loop.WaitAsync(cancellationToken);
    }

    /// <summary>Asks once; what was refused is answered, and changed nothing. For one caller at a time.</summary>
    public async Task<AnswerRefusedException?> RefreshAsync(CancellationToken cancel)
    {
        var asked = _clock.GetTimestamp();
        try
        {
            if (await _model.RefreshAsync(_state.Current.Iam.Peppers, cancel) is { } taken)
            {
                Publish(taken, asked);
            }
            else
            {
                Confirm(asked);
            }

            Recovered();
            return null;
        }
        catch (AnswerRefusedException refusal)
        {
            Failed(refusal);
            return refusal;
        }
    }

    /// <summary>How long until the next question: the poll, or after failures ever longer, and never the same for two replicas.</summary>
    internal static TimeSpan PauseAfter(int failures, TimeSpan poll, TimeSpan maxStaleness, double chance)
    {
        if (failures == 0)
        {
            return poll;
        }

        // Short enough that several more questions fit before the snapshot is stale.
        var longest = TimeSpan.FromTicks(Math.Max(poll.Ticks, Math.Min(_longestPause.Ticks, maxStaleness.Ticks / 4)));
        var pause = poll * Math.Pow(2, Math.Min(failures - 1, 10));
        return (pause < longest ? pause : longest) * (0.5 + (chance / 2));
    }

    public void Dispose()
    {
        _state.Changed -= Reconfigure;
        _stopping.Dispose();
    }

    private async Task WaitForFirstAsync(CancellationToken cancellationToken)
    {
        var began = _clock.GetTimestamp();
        while (await RefreshAsync(cancellationToken) is { } refusal)
        {
            if (_clock.GetElapsedTime(began) >= _store.MaxStaleness)
            {
                throw new PlatformUnavailableException($"iam.url: no read model can be had from {_settings.Url}: {refusal.Message}");
            }

            await Task.Delay(Pause(), _clock, cancellationToken);
        }
    }

    private TimeSpan Pause() => PauseAfter(_failures, _settings.Poll, _store.MaxStaleness, Random.Shared.NextDouble());

    private async Task LoopAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(Pause(), _clock, stopping);
                await RefreshAsync(stopping);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // The edge of a background loop: a defect here must not end the questions for good.
                _failures++;
                Log.Broken(_logger, e);
            }
        }
    }

    private void Publish(Taken taken, long asked)
    {
        lock (_publishing)
        {
            _holding = new Holding(taken.Version, taken.Keys, taken.Tenants, asked);
            Swap(_holding);
        }

        var lag = _clock.GetUtcNow() - taken.At;
        _metrics.InForce(taken.Version, taken.KeyCount, lag < TimeSpan.Zero ? TimeSpan.Zero : lag, taken.Remarks.Count);
        Log.Published(_logger, taken.Version, _state.Revision, taken.KeyCount);
        foreach (var remark in taken.Remarks.First)
        {
            Log.Remark(_logger, remark);
        }

        if (taken.Remarks.Count > taken.Remarks.First.Count())
        {
            Log.MoreRemarks(_logger, taken.Remarks.Count);
        }
    }

    private void Confirm(long asked)
    {
        lock (_publishing)
        {
            _holding = _holding! with { Asked = asked };
            _store.Confirm(asked);
        }
    }

    // Raised by the configuration's watcher. What it changes needs no word of the platform, and is no fresher for it.
    private void Reconfigure(GatewayConfiguration configuration)
    {
        lock (_publishing)
        {
            if (_holding is { } holding)
            {
                Swap(holding);
            }
        }
    }

    private void Swap(Holding holding)
    {
        var configuration = _state.Current;
        if (_registry is not { } registry || !ReferenceEquals(registry.Configuration, configuration))
        {
            _registry = registry = (configuration, new Registry(configuration.Deployments, configuration.Models));
        }

        _store.Publish(
            new Snapshot
            {
                Version = Math.Max((_store.Current?.Version ?? 0) + 1, holding.Version),
                Revision = configuration.Revision,
                Registry = registry.Registry,
                Policy = configuration.Policy,
                Infer = configuration.Infer,
                ShadowPolicy = configuration.ShadowPolicy,
                ExternalPolicy = configuration.ExternalPolicy,
                Tenants = holding.Tenants,
                Keys = holding.Keys,
                Peppers = configuration.Iam.Peppers,
            },
            holding.Asked);
    }

    private void Failed(AnswerRefusedException refusal)
    {
        _failures++;
        _metrics.Refused(refusal.Reason);
        if (_said != refusal.Reason)
        {
            // Once per outage and reason, not every second.
            _said = refusal.Reason;
            Log.Refused(_logger, refusal.Message, _store.MaxStaleness);
        }
    }

    private void Recovered()
    {
        _failures = 0;
        if (_said is not null)
        {
            _said = null;
            Log.Recovered(_logger);
        }
    }

    private sealed record Holding(long Version, KeyTable Keys, FrozenDictionary<string, Tenant> Tenants, long Asked);

    private static partial class Log
    {
        [LoggerMessage(12201, LogLevel.Information, "The platform's read model version {Version} is in force: configuration {Revision}, {Keys} keys")]
        public static partial void Published(ILogger logger, long version, string revision, int keys);

        [LoggerMessage(12202, LogLevel.Warning, "Read model: {Remark}")]
        public static partial void Remark(ILogger logger, string remark);

        [LoggerMessage(12203, LogLevel.Warning, "Read model: {Count} such entries in all")]
        public static partial void MoreRemarks(ILogger logger, long count);

        [LoggerMessage(12204, LogLevel.Error, "The platform's read model is not confirmed: {Reason}. The last good one serves until it is {Bound} old, then protected calls are refused")]
        public static partial void Refused(ILogger logger, string reason, TimeSpan bound);

        [LoggerMessage(12205, LogLevel.Information, "The platform confirms its read model again")]
        public static partial void Recovered(ILogger logger);

        [LoggerMessage(12206, LogLevel.Error, "Refreshing the platform's read model failed; it is asked again")]
        public static partial void Broken(ILogger logger, Exception cause);
    }
}
