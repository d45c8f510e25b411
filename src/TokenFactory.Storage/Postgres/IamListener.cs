using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using TokenFactory.Storage.Iam;

namespace TokenFactory.Storage.Postgres;

/// <summary>
/// Hears from the database when any replica or command changed the IAM rows, on a session of its own. Whatever it misses while that
/// session is away is found by looking; so it says nothing when it fails, and only tries again.
/// </summary>
internal sealed partial class IamListener(PostgresDatabase database, IamChanges changes, TimeProvider clock, ILogger<IamListener> logger) : BackgroundService
{
    public const string Channel = "tokenfactory_iam";

    private static readonly TimeSpan _pause = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await ListenAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception cause)
            {
                // The edge of a background loop: looking finds what is not heard.
                Log.Later(logger, cause.Message);
            }

            await Task.Delay(_pause, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ListenAsync(CancellationToken stopping)
    {
        await using var connection = database.NewListenerConnection();
        connection.Notification += (_, _) => changes.Raise();
        await connection.OpenAsync(stopping);
        await using (var listen = new NpgsqlCommand($"LISTEN {Channel}", connection))
        {
            await listen.ExecuteNonQueryAsync(stopping);
        }

        // What changed before the session listened.
        changes.Raise();
        while (true)
        {
            await connection.WaitAsync(stopping);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(11403, LogLevel.Debug, "Changes of keys are not heard of for the moment, only found by looking: {Reason}")]
        public static partial void Later(ILogger logger, string reason);
    }
}
