using Npgsql;
using NpgsqlTypes;

namespace TokenFactory.Storage.Postgres;

/// <summary>Values as <c>$1</c>, <c>$2</c> and so on.</summary>
internal static class PositionalParameters
{
    /// <summary>An unsigned number is a transaction's id.</summary>
    public static void Add(this NpgsqlParameterCollection parameters, params ReadOnlySpan<object> values)
    {
        foreach (var value in values)
        {
            parameters.Add(value is ulong ? new NpgsqlParameter { Value = value, NpgsqlDbType = NpgsqlDbType.Xid8 } : new NpgsqlParameter { Value = value });
        }
    }
}
