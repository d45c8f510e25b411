using Microsoft.Extensions.Logging;
using Npgsql;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Journal.Writer;

namespace TokenFactory.Storage.Postgres.Writer;

/// <summary>
/// Writes the journal's batches, each in one round trip that is one transaction: the server commits it whole at its end or not at
/// all, and holds no locks between. Every row has its id from the gateway, so a batch of unknown outcome can be sent again.
/// </summary>
internal sealed partial class PostgresBatches(PostgresDatabase database, PostgresStorageOptions options, TimeProvider clock, ILogger logger) : IBatchStore
{
    private const string Beat =
        """
        INSERT INTO instances (instance_id, started_at, heartbeat_at) VALUES ($1, now(), now())
        ON CONFLICT (instance_id) DO UPDATE SET heartbeat_at = now(), closed_at = NULL
        """;

    /// <summary>
    /// A write may have been stuck for longer than its instance was taken for living. Its admissions are then open after all, and the
    /// lock makes whoever closes the instance wait for them, or this wait for the closing.
    /// </summary>
    private const string Reopen =
        """
        WITH own AS (SELECT instance_id, closed_at FROM instances WHERE instance_id = $1 FOR SHARE)
        UPDATE instances SET closed_at = NULL FROM own WHERE instances.instance_id = own.instance_id AND own.closed_at IS NOT NULL
        """;

    private readonly SettlementInsert _settlements = new(options.InstanceId);
    private NpgsqlConnection? _connection;
    private long _beatAt;
    private bool _wasOpen;

    /// <summary>The round trip is as long as any gathering would be, and rows cost more than commits.</summary>
    public bool Gathers => false;

    public void Open()
    {
        Close();
        var connection = database.NewWriterConnection();
        _connection = connection;
        Complete(connection, OpenAsync(connection), _wasOpen ? options.WriteDeadline : options.StartDeadline);
        _wasOpen = true;
        _beatAt = clock.GetTimestamp();
    }

    public void Write(IReadOnlyList<Entry> batch)
    {
        try
        {
            WriteTogether(batch);
        }
        catch (StorageException cause)
        {
            // It may have been committed or not. Every statement does nothing the second time, so asking again is the answer.
            Log.SentAgain(logger, batch.Count, cause.Message);
            Open();
            WriteTogether(batch);
        }
    }

    public void Close()
    {
        _connection?.Dispose();
        _connection = null;
    }

    public void Dispose()
    {
        Close();
        _settlements.Dispose();
    }

    private async Task OpenAsync(NpgsqlConnection connection)
    {
        await connection.OpenAsync();
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                // A role or database may have it off, and then a commit is a promise without a disk behind it.
                new NpgsqlBatchCommand("SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"),

                // A batch that the network broke off in its middle holds its locks until the server knows: half a minute and not its default of hours.
                new NpgsqlBatchCommand("SELECT set_config('tcp_keepalives_idle', '10', false), set_config('tcp_keepalives_interval', '5', false), set_config('tcp_keepalives_count', '4', false)"),
                new NpgsqlBatchCommand("SELECT set_config('lock_timeout', $1, false)") { Parameters = { new() { Value = $"{(int)options.WriteDeadline.TotalMilliseconds}ms" } } },
                BeatCommand(),
                new NpgsqlBatchCommand(AuditInsert.BeginSql) { Parameters = { new NpgsqlParameter<Guid> { TypedValue = options.InstanceId } } },
            },
        };
        await batch.ExecuteNonQueryAsync();
    }

    private void WriteTogether(IReadOnlyList<Entry> entries)
    {
        try
        {
            // A session that a broken entry took with it.
            if (_connection is null)
            {
                Open();
            }

            var connection = _connection!;
            using var batch = new NpgsqlBatch(connection);
            var settlements = AddTo(batch, entries);
            if (batch.BatchCommands.Count > 0)
            {
                Complete(connection, batch.ExecuteNonQueryAsync(), options.WriteDeadline);
            }

            var earlier = settlements.Where(static some => some.Command.RecordsAffected < some.Rows.Length).SelectMany(static some => some.Rows).ToArray();
            if (earlier.Length > 0)
            {
                Complete(connection, AdjustmentInsert.RunAsync(connection, options.InstanceId, earlier), options.WriteDeadline);
            }
        }
        catch (Exception cause) when (cause is not StorageException && entries.Count == 1)
        {
            Log.EntryRefused(logger, entries[0].GetType().Name, cause);
            entries[0].Fault = cause;
        }
        catch (Exception cause) when (cause is not StorageException)
        {
            // One entry was refused for what it is. It must not take the others with it: halving finds it in a few commits.
            var half = entries.Count / 2;
            WriteTogether([.. entries.Take(half)]);
            WriteTogether([.. entries.Skip(half)]);
        }
    }

    /// <returns>The settlements among them, with the command that writes them.</returns>
    private List<(NpgsqlBatchCommand Command, SettlementEntry[] Rows)> AddTo(NpgsqlBatch batch, IReadOnlyList<Entry> entries)
    {
        var admissions = entries.OfType<AdmissionEntry>().Select(static entry => entry.Admission).ToArray();

        // The first settlement of a request counts, and the last checkpoint.
        var settlements = Settlements(static entry => !entry.NeedsAdmission);
        var quick = Settlements(static entry => entry is { NeedsAdmission: true, IsLate: false });
        var late = Settlements(static entry => entry.IsLate);
        var denials = entries.OfType<DenialEntry>().Select(static entry => entry.Denial).DistinctBy(static row => row.RequestId).ToArray();
        var checkpoints = entries.OfType<CheckpointEntry>().Reverse().Select(static entry => entry.Checkpoint).DistinctBy(static row => row.RequestId).ToArray();
        List<(NpgsqlBatchCommand, SettlementEntry[])> settling = [];
        Add(admissions, options.LifecycleEvents ? AdmissionInsert.WithEvents : AdmissionInsert.Of);
        if (admissions.Length > 0)
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand(Reopen) { Parameters = { new NpgsqlParameter<Guid> { TypedValue = options.InstanceId } } });
        }

        Settle(settlements, _settlements.Of);
        Settle(quick, _settlements.IfAdmitted);
        Settle(late, _settlements.IfAdmitted);
        Add(denials, rows => AuditInsert.Of(options.InstanceId, rows));
        Add(checkpoints, CheckpointUpsert.Of);

        // With the first write after a pause too: an instance that was taken for dead is alive again before it has an open request.
        if (clock.GetElapsedTime(_beatAt) >= options.InstanceLease / 6 || entries.Any(static entry => entry is BeatEntry))
        {
            batch.BatchCommands.Add(BeatCommand());
            _beatAt = clock.GetTimestamp();
        }

        return settling;

        SettlementEntry[] Settlements(Func<SettlementEntry, bool> which) =>
            [.. entries.OfType<SettlementEntry>().Where(which).DistinctBy(static entry => entry.Settlement.Admission.RequestId)];

        void Settle(SettlementEntry[] rows, Func<IReadOnlyList<Settlement>, NpgsqlBatchCommand> command)
        {
            if (rows.Length > 0)
            {
                batch.BatchCommands.Add(command([.. rows.Select(static row => row.Settlement)]));
                settling.Add((batch.BatchCommands[^1], rows));
            }
        }

        void Add<T>(T[] rows, Func<IReadOnlyList<T>, NpgsqlBatchCommand> command)
        {
            if (rows.Length > 0)
            {
                batch.BatchCommands.Add(command(rows));
            }
        }
    }

    private NpgsqlBatchCommand BeatCommand() => new(Beat) { Parameters = { new NpgsqlParameter<Guid> { TypedValue = options.InstanceId } } };

    /// <summary>
    /// Waits no longer than the deadline. Npgsql's own timeouts are none: they first ask the server to cancel, and wait for that too.
    /// A connection that is given up closes itself once its command has ended.
    /// </summary>
    /// <exception cref="StorageException">The store failed; what was sent may be durable or not. Any other exception is the entry's fault.</exception>
    private void Complete(NpgsqlConnection connection, Task work, TimeSpan deadline)
    {
        try
        {
            work.WaitAsync(deadline, clock).GetAwaiter().GetResult();
        }
        catch (PostgresException refusal) when (IsTheRows(refusal))
        {
            throw;
        }
        catch (Exception cause)
        {
            _connection = null;
            _ = work.ContinueWith(
                static (ended, given) =>
                {
                    _ = ended.Exception;
                    return ((NpgsqlConnection)given!).DisposeAsync().AsTask();
                },
                connection, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            throw database.Explain(cause) ?? cause;
        }
    }

    /// <summary>Class 22, data exceptions, and class 23, integrity constraints: the rows beside it may still be written.</summary>
    private static bool IsTheRows(PostgresException refusal) => refusal.SqlState.StartsWith("22", StringComparison.Ordinal) || refusal.SqlState.StartsWith("23", StringComparison.Ordinal);

    private static partial class Log
    {
        [LoggerMessage(11004, LogLevel.Error, "The store refused one {Entry}; the rest of its batch was written")]
        public static partial void EntryRefused(ILogger logger, string entry, Exception cause);

        [LoggerMessage(11005, LogLevel.Warning, "Whether {Entries} entries were committed is not known; they are sent again: {Reason}")]
        public static partial void SentAgain(ILogger logger, int entries, string reason);
    }
}
