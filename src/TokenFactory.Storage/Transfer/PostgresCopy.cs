using Npgsql;
using NpgsqlTypes;

namespace TokenFactory.Storage.Transfer;

/// <summary>Rows in PostgreSQL's own bulk form, one stream for each period that has a partition of its own.</summary>
internal sealed class PostgresCopy(NpgsqlConnection connection, TransferTable table, string into) : ITableWriter
{
    /// <summary>The importer knows no "without a limit".</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromDays(7);

    private readonly NpgsqlDbType[] _types = [.. table.Columns.Select(static column => TypeOf(column.Type))];
    private NpgsqlBinaryImporter? _copy;
    private long _rows;

    /// <summary>Columns that only this store has, by the row's place.</summary>
    public IReadOnlyList<(string Column, Func<long, object> Value)> Added { get; init; } = [];

    public PostgresPeriods? Periods { get; init; }

    /// <summary>With the number of rows, once they are written.</summary>
    public Func<long, CancellationToken, Task>? Afterwards { get; init; }

    public async ValueTask WriteAsync(object?[] row, CancellationToken cancel)
    {
        if (Periods is { } periods && periods.IsNew((Guid)row[table.IndexOf(periods.Key)]!))
        {
            // A partition cannot be made while a stream is open.
            await EndStreamAsync(cancel);
            await periods.MakeAsync(cancel);
        }

        _copy ??= await BeginStreamAsync(cancel);
        _rows++;

        // At once: the importer buffers, and waiting for each value would cost more than writing it.
        _copy.StartRow();
        for (var column = 0; column < row.Length; column++)
        {
            Write(_copy, row[column], _types[column]);
        }

        foreach (var (_, value) in Added)
        {
            var extra = value(_rows);
            Write(_copy, extra, extra is ulong ? NpgsqlDbType.Xid8 : extra is DateTime ? NpgsqlDbType.TimestampTz : NpgsqlDbType.Bigint);
        }
    }

    public async Task CompleteAsync(CancellationToken cancel)
    {
        await EndStreamAsync(cancel);
        if (Afterwards is { } more)
        {
            await more(_rows, cancel);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_copy is { } open)
        {
            await open.DisposeAsync();
        }
    }

    private async Task<NpgsqlBinaryImporter> BeginStreamAsync(CancellationToken cancel)
    {
        var columns = string.Join(", ", table.Names.Concat(Added.Select(static one => one.Column)));
        var copy = await connection.BeginBinaryImportAsync($"COPY {into} ({columns}) FROM STDIN (FORMAT BINARY)", cancel);
        copy.Timeout = _patience;
        return copy;
    }

    private async Task EndStreamAsync(CancellationToken cancel)
    {
        if (_copy is { } open)
        {
            await open.CompleteAsync(cancel);
            await open.DisposeAsync();
            _copy = null;
        }
    }

    private static void Write(NpgsqlBinaryImporter copy, object? value, NpgsqlDbType type)
    {
        switch (value)
        {
            case null:
                copy.WriteNull();
                break;
            case DateTimeOffset time:
                copy.Write(time.UtcDateTime, type);
                break;
            case Guid id:
                copy.Write(id, type);
                break;
            case long number:
                copy.Write(number, type);
                break;
            case int number:
                copy.Write(number, type);
                break;
            case string text:
                copy.Write(text, type);
                break;
            default:
                copy.Write(value, type);
                break;
        }
    }

    private static NpgsqlDbType TypeOf(TransferType type) => type switch
    {
        TransferType.Id => NpgsqlDbType.Uuid,
        TransferType.Time => NpgsqlDbType.TimestampTz,
        TransferType.Day => NpgsqlDbType.Date,
        TransferType.Bytes => NpgsqlDbType.Bytea,
        TransferType.Flag => NpgsqlDbType.Boolean,
        TransferType.Int => NpgsqlDbType.Integer,
        TransferType.Long => NpgsqlDbType.Bigint,
        _ => NpgsqlDbType.Text,
    };
}
