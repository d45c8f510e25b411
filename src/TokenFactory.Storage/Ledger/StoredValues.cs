using System.Data.Common;

namespace TokenFactory.Storage.Ledger;

/// <summary>How a database keeps what the two have no common type for. Parameters are named by their place: $1, $2.</summary>
internal abstract class StoredValues
{
    public abstract DbParameter Parameter(string name, object value);

    public abstract object Of(Guid id);

    public abstract object Of(DateTimeOffset time);

    public abstract object Of(DateOnly day);

    public abstract Guid Id(DbDataReader reader, int column);

    public abstract DateTimeOffset Time(DbDataReader reader, int column);

    public abstract DateOnly Day(DbDataReader reader, int column);
}
