using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using TokenFactory.Administration.Configuration;
using TokenFactory.Administration.Configuration.Settings;
using TokenFactory.Storage.Registry;

namespace TokenFactory.Administration.Registration;

/// <summary>
/// Registers what the control plane says, in the tables, where every replica finds it and a restart too. Each answer is taken whole or
/// not at all: one that the configuration cannot be read with changes nothing, and is told.
/// </summary>
internal sealed partial class RegistryFeed(
    RegistryFeedSettings settings, FeedClient client, RegistryTables tables, ConfigurationSource source, RegistryMetrics metrics, TimeProvider clock,
    ILogger<RegistryFeed> logger) : BackgroundService
{
    private const int ToldMistakes = 20;

    private string? _said;

    /// <summary>Asks once. What was refused changed nothing. For one caller at a time.</summary>
    public async Task<FeedRefusedException?> RefreshAsync(CancellationToken cancel)
    {
        try
        {
            if (await client.AskAsync(cancel) is { } answer)
            {
                await TakeAsync(answer, cancel);
                client.Taken();
            }

            metrics.Confirmed();
            Recovered();
            return null;
        }
        catch (FeedRefusedException refusal)
        {
            metrics.Refused(refusal.Reason);
            Say(refusal.Message);
            return refusal;
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(settings.Poll, clock);
        try
        {
            do
            {
                await RefreshOrSaySoAsync(stoppingToken);
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task RefreshOrSaySoAsync(CancellationToken stopping)
    {
        try
        {
            await RefreshAsync(stopping);
        }
        catch (RegistryConflictException)
        {
            // Another replica took the same answer, or an operator was faster: the next question finds out.
        }
        catch (Exception e) when (e is not OperationCanceledException || !stopping.IsCancellationRequested)
        {
            // The edge of a background loop: the store is away, or this is a defect; the questions go on.
            Say(e.Message);
        }
    }

    private async Task TakeAsync(FeedAnswer answer, CancellationToken cancel)
    {
        var known = await tables.ReadAsync(cancel);
        if (known.FeedOf != settings.Url.Authority)
        {
            // Another control plane counts its own versions.
            known = known with { FeedVersion = null };
        }

        RefuseForeign(answer, known);
        var edits = Differences(answer, known);
        if (answer.Version < known.FeedVersion || (answer.Version == known.FeedVersion && edits.Count > 0))
        {
            throw new FeedRefusedException(
                FeedRefusal.OlderVersion, $"it answered version {answer.Version}, and version {known.FeedVersion} with another content was taken before: each change needs a higher version");
        }

        if (edits.Count == 0 && answer.Version == known.FeedVersion)
        {
            return;
        }

        // A version without a change is kept too: what was said before it must not come back.
        var reading = source.ReadWith(known.With(RegistryOrigin.ControlPlane, edits, clock.GetUtcNow()));
        if (reading.Configuration is null)
        {
            var told = string.Join("; ", reading.Mistakes.Take(ToldMistakes).Select(mistake => mistake.ToString()));
            throw new FeedRefusedException(FeedRefusal.Mistaken, $"version {answer.Version} has {reading.Mistakes.Count} mistakes: {told}");
        }

        var revision = await tables.ApplyAsync(known, RegistryOrigin.ControlPlane, edits, settings.Url.Authority, answer.Version, cancel);
        Log.Taken(logger, answer.Version, revision, edits.Count);
    }

    private static void RefuseForeign(FeedAnswer answer, RegistryContent known)
    {
        foreach (var document in known.Documents.Where(document => document.Origin == RegistryOrigin.Operator))
        {
            if (answer.Documents.Any(one => one.Kind == document.Kind && one.Name == document.Name))
            {
                throw new FeedRefusedException(
                    FeedRefusal.Mistaken,
                    $"it registers the {RegistrySections.WordOf(document.Kind)} '{document.Name}', which an operator registered: remove one of the two");
            }
        }
    }

    private static List<RegistryEdit> Differences(FeedAnswer answer, RegistryContent known)
    {
        var before = known.Documents.Where(document => document.Origin == RegistryOrigin.ControlPlane).ToDictionary(document => (document.Kind, document.Name));
        var edits = answer.Documents.Where(one => !before.Remove((one.Kind, one.Name), out var there) || there.Body != one.Body).ToList();
        edits.AddRange(before.Keys.Select(gone => new RegistryEdit(gone.Kind, gone.Name, null)));
        return edits;
    }

    private void Say(string reason)
    {
        // Once per outage and reason, not at every question.
        if (_said != reason)
        {
            _said = reason;
            Log.Refused(logger, settings.Url, reason);
        }
    }

    private void Recovered()
    {
        if (_said is not null)
        {
            _said = null;
            Log.Recovered(logger);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(12311, LogLevel.Information, "The control plane's version {Version} is registered: revision {Revision}, {Count} documents changed")]
        public static partial void Taken(ILogger logger, long version, long revision, int count);

        [LoggerMessage(12312, LogLevel.Error, "The control plane {Url} changed nothing: {Reason}. What was registered before stays in force")]
        public static partial void Refused(ILogger logger, Uri url, string reason);

        [LoggerMessage(12313, LogLevel.Information, "The control plane's answers can be taken again")]
        public static partial void Recovered(ILogger logger);
    }
}
