using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using TokenFactory.Administration.Registration;

namespace TokenFactory.Administration.Configuration;

/// <summary>
/// Reads the configuration again when the content of one of its files or the registry changes, and swaps it whole; a bad one keeps the last
/// good one and says why. Content is compared, not times: a mounted Kubernetes volume swaps links that keep their times.
/// </summary>
internal sealed partial class ConfigurationWatcher(
    ConfigurationSource source, RegistryFollower registry, ConfigurationState state, TimeProvider clock, ILogger<ConfigurationWatcher> logger) : BackgroundService
{
    private static readonly TimeSpan _period = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _patience = TimeSpan.FromMilliseconds(500);

    private IReadOnlyList<string> _files = source.File is null ? [] : [Path.GetFullPath(source.File)];
    private string? _seen;
    private string _leftOut = "";
    private Task _refreshing = Task.CompletedTask;

    /// <summary>Looks once; true when something had changed.</summary>
    public bool Look()
    {
        var fingerprint = Fingerprint();
        if (fingerprint == _seen)
        {
            return false;
        }

        var isFirst = _seen is null;
        var reading = source.Read();
        _files = reading.Files.Count > 0 ? reading.Files : _files;

        TellLeftOut(reading.LeftOut);

        // Taken anew, because this reading may have named other files than the one before.
        _seen = Fingerprint();
        if (reading.Configuration is not { } configuration)
        {
            state.Refuse(reading.Mistakes);
            foreach (var mistake in reading.Mistakes)
            {
                Log.Mistake(logger, mistake.ToString());
            }

            Log.Kept(logger, state.Revision, reading.Mistakes.Count);
            return true;
        }

        if (configuration.Revision == state.Revision)
        {
            // Back to what is in force: whatever was wrong is not any more.
            state.Refuse([]);
            return !isFirst;
        }

        var before = state.Current;
        state.Take(configuration);
        Log.Taken(logger, configuration.Revision);
        if (RestartOnly.Differ(before, configuration) is { Count: > 0 } sections)
        {
            Log.NeedsRestart(logger, string.Join(", ", sections));
        }

        return true;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(_period, clock);
        try
        {
            do
            {
                await RefreshAsync(stoppingToken);
                LookOrSaySo();
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    // A database that does not answer must not hold up what the file says.
    private async Task RefreshAsync(CancellationToken stopping)
    {
        if (_refreshing.IsCompleted)
        {
            _refreshing = registry.RefreshAsync(stopping);
        }

        await _refreshing.WaitAsync(_patience, clock, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private void TellLeftOut(IReadOnlyList<ConfigurationMistake> leftOut)
    {
        var text = string.Join('\n', leftOut);
        if (text != _leftOut)
        {
            _leftOut = text;
            foreach (var mistake in leftOut)
            {
                Log.LeftOut(logger, mistake.ToString());
            }
        }
    }

    private void LookOrSaySo()
    {
        try
        {
            Look();
        }
        catch (Exception e)
        {
            // The edge of a background loop: whatever this was, the configuration in force stays, and the next look comes.
            Log.Failed(logger, e);
        }
    }

    private string Fingerprint()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var file in _files)
        {
            hash.AppendData(ContentOf(file));
        }

        return string.Create(CultureInfo.InvariantCulture, $"{source.Registry.Content.Revision} {Convert.ToHexString(hash.GetHashAndReset())}");
    }

    private static byte[] ContentOf(string file)
    {
        try
        {
            using var stream = File.OpenRead(file);
            return SHA256.HashData(stream);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Missing is a content of its own: reading says what is wrong.
            return [0];
        }
    }

    private static partial class Log
    {
        [LoggerMessage(12001, LogLevel.Information, "Configuration revision {Revision} is in force")]
        public static partial void Taken(ILogger logger, string revision);

        [LoggerMessage(12002, LogLevel.Error, "Configuration mistake: {Mistake}")]
        public static partial void Mistake(ILogger logger, string mistake);

        [LoggerMessage(12003, LogLevel.Error, "The changed configuration has {Count} mistakes; revision {Revision} stays in force")]
        public static partial void Kept(ILogger logger, string revision, int count);

        [LoggerMessage(12004, LogLevel.Warning, "These sections changed and take effect at the next start: {Sections}")]
        public static partial void NeedsRestart(ILogger logger, string sections);

        [LoggerMessage(12006, LogLevel.Error, "A registered document is left out, for it cannot be read: {Mistake}")]
        public static partial void LeftOut(ILogger logger, string mistake);

        [LoggerMessage(12005, LogLevel.Error, "Looking for a changed configuration failed; the one in force stays")]
        public static partial void Failed(ILogger logger, Exception cause);
    }
}
