using Microsoft.Extensions.Logging;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Storage.Journal;

/// <summary>
/// Closes what processes that are gone left open, each admission once: from its last checkpoint, on that checkpoint's evidence,
/// else its estimated input and no output. Racing settlers are harmless, the journal keeps the first.
/// </summary>
public sealed partial class OrphanSettler
{
    private const int PageSize = 500;

    private readonly IJournal _journal;
    private readonly IOpenAdmissions _open;
    private readonly TimeProvider _clock;
    private readonly ILogger<OrphanSettler> _logger;

    internal OrphanSettler(IJournal journal, IOpenAdmissions open, TimeProvider clock, ILogger<OrphanSettler> logger)
    {
        _journal = journal;
        _open = open;
        _clock = clock;
        _logger = logger;
    }

    /// <summary>Settles what dead instances left open. In the embedded store no other instance can be alive.</summary>
    /// <returns>How many admissions were closed.</returns>
    public Task<int> SettleAsync(CancellationToken cancel = default) => SettleAsync(alsoOwn: false, cancel);

    /// <param name="alsoOwn">Right only before the first request: an instance id that is kept over restarts has orphans of its own.</param>
    internal async Task<int> SettleAsync(bool alsoOwn, CancellationToken cancel)
    {
        var settled = 0;
        foreach (var instance in await _open.InstancesAsync(alsoOwn, cancel))
        {
            OpenAdmission? last = null;
            while (await _open.PageAsync(instance, last, PageSize, cancel) is { Count: > 0 } page)
            {
                cancel.ThrowIfCancellationRequested();
                await Task.WhenAll(page.Select(orphan => _journal.SettleOnceAsync(Close(orphan))));
                settled += page.Count;
                last = page[^1];
            }

            await _open.CloseAsync(instance);
        }

        if (settled > 0)
        {
            Log.Settled(_logger, settled);
        }

        return settled;
    }

    private Settlement Close(OpenAdmission orphan)
    {
        var admission = orphan.Admission;
        var known = orphan.Checkpoint;
        return new Settlement
        {
            Admission = admission,
            Placement = known?.Placement ?? admission.Placement,
            Outcome = Outcome.Orphaned,
            Evidence = known?.Evidence ?? Evidence.Estimated,
            Tokens = known?.Tokens ?? new TokenUsage(admission.EstimatedInputTokens, 0, 0, 0, 0),
            Attempts = [],
            SettledAt = _clock.GetUtcNow(),

            // As long as it was known to run, and no longer: the process was dead for the rest.
            Duration = orphan.NotedAt is { } noted && noted > admission.AcceptedAt ? noted - admission.AcceptedAt : TimeSpan.Zero,
        };
    }

    private static partial class Log
    {
        [LoggerMessage(11101, LogLevel.Warning, "Settled {Count} requests that an earlier process left open")]
        public static partial void Settled(ILogger logger, int count);
    }
}
