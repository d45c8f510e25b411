using System.Data.Common;
using Microsoft.Data.Sqlite;
using TokenFactory.Storage.Ledger;
using TokenFactory.Storage.Sqlite;
using TokenFactory.Storage.Sqlite.Writer;

namespace TokenFactory.Storage.Transfer;

/// <summary>Moves an installation out of or into a data directory.</summary>
internal sealed class SqliteTransfer(SqliteFile file) : ITransferStore
{
    public string Kind => "sqlite";

    public void RequirePresence()
    {
        if (!File.Exists(file.FilePath))
        {
            throw new StorageException($"There is no {file.FilePath}. Name the data directory of the installation with --data.");
        }
    }

    public async Task<TransferView> ReadAsync(CancellationToken cancel)
    {
        var connection = Open();
        var transaction = connection.BeginTransaction(deferred: true);
        var view = new TransferView(connection, transaction, TransferSql.Sqlite, SqliteValues.Instance);

        // The first read is what the view is of.
        await view.CountAsync("read_model_version", cancel);
        return view;
    }

    public IDisposable Claim()
    {
        file.Prepare();
        return FileLock.TryTake(Path.Combine(file.Directory, SqliteStartup.ClaimFile))
            ?? throw new StorageException($"A gateway serves the data directory {file.Directory}, or another import fills it. Stop it, or choose another directory with --data.");
    }

    public Task<TransferTarget> WriteAsync(CancellationToken cancel)
    {
        var connection = Open();
        return Task.FromResult<TransferTarget>(new Target(connection, connection.BeginTransaction(deferred: false)));
    }

    public Task SettleDownAsync(CancellationToken cancel)
    {
        // The log is as large as the import and would stay so until a burst's worth of requests folds it back.
        using var connection = Open();
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA optimize";
        command.CommandTimeout = 0;
        command.ExecuteNonQuery();
        return Task.CompletedTask;
    }

    public StorageException? Explain(Exception cause) => cause is SqliteException failure ? file.Explain(failure) : cause as StorageException;

    /// <summary>Not pooled, because of its settings: sorting goes to the disk, or memory would grow with the table.</summary>
    private SqliteConnection Open()
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder(file.ConnectionString) { Pooling = false }.ToString());
        try
        {
            connection.Open();
            file.Configure(connection);
            using var command = connection.CreateCommand();
            command.CommandText = "PRAGMA temp_store=FILE; PRAGMA cache_size=-65536";
            command.ExecuteNonQuery();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private sealed class Target(SqliteConnection connection, SqliteTransaction transaction)
        : TransferTarget(connection, transaction, TransferSql.Sqlite, SqliteValues.Instance)
    {
        public override async Task<ITableWriter> OpenAsync(TransferTable table, CancellationToken cancel)
        {
            if (table.Name == TransferPlan.Version)
            {
                await ExecuteAsync($"DELETE FROM {table.Name}", cancel);
            }

            return new Rows(table, Command(Insert(table)));
        }

        /// <summary>The columns that stay, then what this store adds; parameters are the row's columns by name, and the row's place.</summary>
        private static string Insert(TransferTable table)
        {
            (string Column, string Value)? added = table.Name switch
            {
                TransferPlan.Outbox or TransferPlan.Letters => ("seq", Rows.Place),
                TransferPlan.Cursors => ("seq", "coalesce((SELECT seq FROM outbox WHERE event_id = $" + TransferPlan.Delivered + "), 0)"),
                TransferPlan.Instances => ("heartbeat_at", "0"),
                TransferPlan.Days => ("group_id", Rows.Group),
                _ => null,
            };
            var kept = table.Names.Where(name => name != TransferPlan.Delivered).Select(static name => (Column: name, Value: "$" + name)).ToList();
            if (added is { } more)
            {
                kept.Add(more);
            }

            return $"INSERT INTO {table.Name} ({string.Join(", ", kept.Select(static one => one.Column))}) VALUES ({string.Join(", ", kept.Select(static one => one.Value))})";
        }
    }

    private sealed class Rows : ITableWriter
    {
        public const string Place = "$place";
        public const string Group = "$group";

        private readonly TransferTable _table;
        private readonly SqliteCommand _insert;
        private readonly SqliteParameter[] _columns;
        private readonly SqliteParameter _place = new(Place, 0L);
        private readonly SqliteParameter _group = new(Group, DBNull.Value);
        private long _rows;

        public Rows(TransferTable table, DbCommand insert)
        {
            _table = table;
            _insert = (SqliteCommand)insert;
            _columns = [.. table.Columns.Select(column => _insert.Parameters.AddWithValue("$" + column.Name, DBNull.Value))];
            if (table.Name is TransferPlan.Outbox or TransferPlan.Letters)
            {
                _insert.Parameters.Add(_place);
            }
            else if (table.Name == TransferPlan.Days)
            {
                _insert.Parameters.Add(_group);
            }
        }

        public ValueTask WriteAsync(object?[] row, CancellationToken cancel)
        {
            for (var column = 0; column < _columns.Length; column++)
            {
                _columns[column].Value = Stored(row[column]);
            }

            _place.Value = ++_rows;
            if (_table.Name == TransferPlan.Days)
            {
                _group.Value = SqliteValues.Instance.Of(GroupOf(row));
            }

            _insert.ExecuteNonQuery();
            return ValueTask.CompletedTask;
        }

        public Task CompleteAsync(CancellationToken cancel) => Task.CompletedTask;

        public ValueTask DisposeAsync() => _insert.DisposeAsync();

        private static object Stored(object? value) => value switch
        {
            null => DBNull.Value,
            Guid id => SqliteValues.Instance.Of(id),
            DateTimeOffset time => SqliteValues.Instance.Of(time),
            DateOnly day => SqliteValues.Instance.Of(day),
            _ => value,
        };

        private Guid GroupOf(object?[] row)
        {
            return UsageDayRows.GroupId((string)Of("project")!, (string?)Of("department"), (string?)Of("user_id"), (string)Of("key_id")!, (string)Of("model")!, (Outcome)(int)Of("outcome")!);

            object? Of(string column) => row[_table.IndexOf(column)];
        }
    }
}
