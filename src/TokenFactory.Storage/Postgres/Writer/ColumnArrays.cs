using Npgsql;
using NpgsqlTypes;

namespace TokenFactory.Storage.Postgres.Writer;

/// <summary>Rows turned into one array per column, the parameters of an <c>unnest</c>, in the order they are added.</summary>
internal sealed class ColumnArrays<T>(IReadOnlyList<T> rows, NpgsqlBatchCommand command)
{
    public ColumnArrays<T> Ids(Func<T, Guid> column) => Add(column, NpgsqlDbType.Uuid);

    public ColumnArrays<T> Texts(Func<T, string?> column) => Add(column, NpgsqlDbType.Text);

    public ColumnArrays<T> Longs(Func<T, long> column) => Add(column, NpgsqlDbType.Bigint);

    public ColumnArrays<T> LongsOrNull(Func<T, long?> column) => Add(column, NpgsqlDbType.Bigint);

    public ColumnArrays<T> Ints(Func<T, int> column) => Add(column, NpgsqlDbType.Integer);

    public ColumnArrays<T> Flags(Func<T, bool> column) => Add(column, NpgsqlDbType.Boolean);

    public ColumnArrays<T> Times(Func<T, DateTimeOffset> column) => Add(row => column(row).UtcDateTime, NpgsqlDbType.TimestampTz);

    public ColumnArrays<T> Bytes(Func<T, byte[]> column) => Add(column, NpgsqlDbType.Bytea);

    private ColumnArrays<T> Add<TValue>(Func<T, TValue> column, NpgsqlDbType type)
    {
        var values = new TValue[rows.Count];
        for (var index = 0; index < values.Length; index++)
        {
            values[index] = column(rows[index]);
        }

        command.Parameters.Add(new NpgsqlParameter<TValue[]> { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | type });
        return this;
    }
}
