using Microsoft.Extensions.Logging;
using TokenFactory.Storage.Registry;

namespace TokenFactory.Administration.Registration;

/// <summary>
/// Keeps what this process knows of the registry up to what the tables hold, whoever wrote it. While they cannot be read, what was
/// read last stays: routing data does not open anything that the keys do not.
/// </summary>
internal sealed partial class RegistryFollower(RegistryTables tables, RegisteredDocuments documents, RegistryMetrics metrics, ILogger<RegistryFollower> logger)
{
    private bool _isFailing;

    public async Task RefreshAsync(CancellationToken cancel)
    {
        try
        {
            if (await tables.RevisionAsync(cancel) != documents.Content.Revision)
            {
                documents.Take(await tables.ReadAsync(cancel));
            }

            metrics.InForce(documents.Content.Revision);

            _isFailing = false;
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancel.IsCancellationRequested)
        {
            // The edge of a background loop. Said once per outage, not every second.
            if (!_isFailing)
            {
                Log.Failed(logger, e, documents.Content.Revision);
            }

            _isFailing = true;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(12301, LogLevel.Error, "The registry cannot be read; revision {Revision} stays in force")]
        public static partial void Failed(ILogger logger, Exception cause, long revision);
    }
}
