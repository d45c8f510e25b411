using System.Data.Common;
using Npgsql;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Storage.Postgres;

internal sealed class PostgresValues : StoredValues
{
    public static PostgresValues Instance { get; } = new();

    /// <summary>Npgsql takes parameters by place when they have no name.</summary>
    public override DbParameter Parameter(string name, object value) => new NpgsqlParameter { Value = value };

    public override object Of(Guid id) => id;

    public override object Of(DateTimeOffset time) => time.UtcDateTime;

    public override object Of(DateOnly day) => day;

    public override Guid Id(DbDataReader reader, int column) => reader.GetGuid(column);

    public override DateTimeOffset Time(DbDataReader reader, int column) => reader.GetFieldValue<DateTimeOffset>(column);

    public override DateOnly Day(DbDataReader reader, int column) => reader.GetFieldValue<DateOnly>(column);
}
