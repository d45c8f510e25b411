using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using TokenFactory.Administration.Configuration;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Storage;
using TokenFactory.Storage.Iam;

namespace TokenFactory.Administration.Iam;

/// <summary>
/// Keeps the snapshot: configuration and tables, merged and swapped as one. Other processes change keys too: it hears of it where
/// the database can tell, and asks for the version twice a second whether it heard or not. Fails closed (P4): what cannot be read or built is not confirmed, and
/// an unconfirmed snapshot goes stale by itself while the last good one serves out its bound.
/// </summary>
public sealed partial class EmbeddedReadModelSource : IHostedService, IDisposable
{
    private static readonly TimeSpan _period = TimeSpan.FromMilliseconds(500);

    private readonly IDbContextFactory<GatewayDbContext> _contexts;
    private readonly StoreVersions _versions;
    private readonly ConfigurationState _state;
    private readonly PepperRing _peppers;
    private readonly SnapshotStore _store;
    private readonly TimeProvider _clock;
    private readonly ILogger<EmbeddedReadModelSource> _logger;
    private readonly SemaphoreSlim _signal = new(0, 1);
    private readonly SemaphoreSlim _one = new(1, 1);
    private readonly CancellationTokenSource _stopping = new();
    private Task _loop = Task.CompletedTask;
    private (long Rows, GatewayConfiguration Configuration)? _published;
    private string _said = "";
    private bool _isFailing;

    internal EmbeddedReadModelSource(
        IDbContextFactory<GatewayDbContext> contexts,
        StoreVersions versions,
        ConfigurationState state,
        PepperRing peppers,
        SnapshotStore store,
        EmbeddedIam iam,
        IamChanges elsewhere,
        TimeProvider clock,
        ILogger<EmbeddedReadModelSource> logger)
    {
        _contexts = contexts;
        _versions = versions;
        _state = state;
        _peppers = peppers;
        _store = store;
        _clock = clock;
        _logger = logger;
        iam.Changed += Signal;
        elsewhere.Happened += Signal;
        state.Changed += _ => Signal();
    }

    /// <summary>The first snapshot is read here: a process that cannot read its keys does not start (P12).</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await RefreshAsync(cancellationToken);
        _loop = LoopAsync(_stopping.Token);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        await _loop.WaitAsync(cancellationToken);
    }

    /// <summary>Reads and publishes now; returns once what was committed before the call is in force.</summary>
    public async Task RefreshAsync(CancellationToken cancel)
    {
        await _one.WaitAsync(cancel);
        try
        {
            await PublishIfChangedAsync(cancel);
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose()
    {
        _stopping.Dispose();
        _signal.Dispose();
        _one.Dispose();
    }

    private async Task LoopAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await WaitForSignalOrPeriodAsync(stopping);
                await RefreshAsync(stopping);
                _isFailing = false;
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // The edge of a background loop. Said once per outage, not twice a second.
                if (!_isFailing)
                {
                    Log.Failed(_logger, e, _store.MaxStaleness);
                }

                _isFailing = true;
            }
        }
    }

    private async Task PublishIfChangedAsync(CancellationToken cancel)
    {
        var began = _clock.GetTimestamp();
        var configuration = _state.Current;
        if (_published is { } last && ReferenceEquals(last.Configuration, configuration) && last.Rows == await _versions.IamAsync(cancel))
        {
            // An answer that took longer than the bound is as old as the question.
            if (_clock.GetElapsedTime(began) <= _store.MaxStaleness)
            {
                _store.Confirm();
            }

            return;
        }

        await using var context = await _contexts.CreateDbContextAsync(cancel);
        var rows = await IamRows.ReadAsync(context, cancel);
        var builder = new SnapshotBuilder(configuration, rows, _peppers.Of(configuration));
        var snapshot = builder.Build(Math.Max((_store.Current?.Version ?? 0) + 1, rows.Version));
        _store.Publish(snapshot);
        _published = (rows.Version, configuration);
        Log.Published(_logger, snapshot.Version, snapshot.Revision, snapshot.Keys.Count);
        Say(builder.Remarks);
    }

    private void Say(IReadOnlyList<string> remarks)
    {
        var text = string.Join('\n', remarks);
        if (text != _said)
        {
            _said = text;
            foreach (var remark in remarks)
            {
                Log.Remark(_logger, remark);
            }
        }
    }

    private async Task WaitForSignalOrPeriodAsync(CancellationToken stopping)
    {
        using var period = new CancellationTokenSource(_period, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(period.Token, stopping);
        try
        {
            await _signal.WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
        }
    }

    private void Signal()
    {
        try
        {
            _signal.Release();
        }
        catch (SemaphoreFullException)
        {
            // Signalled already: one reading answers both.
        }
    }

    private static partial class Log
    {
        [LoggerMessage(12101, LogLevel.Information, "Read model version {Version} is in force: configuration {Revision}, {Secrets} key secrets")]
        public static partial void Published(ILogger logger, long version, string revision, int secrets);

        [LoggerMessage(12102, LogLevel.Warning, "Read model: {Remark}")]
        public static partial void Remark(ILogger logger, string remark);

        [LoggerMessage(12103, LogLevel.Error, "The read model cannot be read; the last good one serves until it is {Bound} old, then protected calls are refused")]
        public static partial void Failed(ILogger logger, Exception cause, TimeSpan bound);
    }
}
