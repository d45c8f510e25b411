using System.Data.Common;
using Microsoft.Data.Sqlite;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Storage.Sqlite;

/// <summary>As the <see cref="GuidConverter"/> and its neighbours write them.</summary>
internal sealed class SqliteValues : StoredValues
{
    public static SqliteValues Instance { get; } = new();

    public override DbParameter Parameter(string name, object value) => new SqliteParameter(name, value);

    public override object Of(Guid id) => id.ToByteArray(bigEndian: true);

    public override object Of(DateTimeOffset time) => Micros.Of(time);

    public override object Of(DateOnly day) => day.DayNumber;

    public override Guid Id(DbDataReader reader, int column) => new(reader.GetFieldValue<byte[]>(column), bigEndian: true);

    public override DateTimeOffset Time(DbDataReader reader, int column) => Micros.ToTime(reader.GetInt64(column));

    public override DateOnly Day(DbDataReader reader, int column) => DateOnly.FromDayNumber(reader.GetInt32(column));
}
