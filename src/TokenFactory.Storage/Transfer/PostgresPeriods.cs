using System.Buffers.Binary;
using Npgsql;
using TokenFactory.Storage.Postgres;

namespace TokenFactory.Storage.Transfer;

/// <summary>Makes the partitions that rows of other times belong to, as they come by: months of the ledger, days of the outbox.</summary>
internal sealed class PostgresPeriods(NpgsqlConnection connection, string table, string key, bool isDaily)
{
    /// <summary>The ids of a clock that was further off than this are left to the default partition.</summary>
    private static readonly long _end = new DateTimeOffset(2200, 1, 1, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();

    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);
    private Partitions.Partition? _wanted;
    private (long From, long Until) _last;

    public string Key => key;

    /// <summary>Rows come almost in the order of time, so that this is a comparison for most of them.</summary>
    public bool IsNew(Guid id)
    {
        var milliseconds = MillisecondsOf(id);
        if ((milliseconds >= _last.From && milliseconds < _last.Until) || milliseconds >= _end)
        {
            return false;
        }

        var moment = DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);
        var day = new DateTimeOffset(moment.UtcDateTime.Date, TimeSpan.Zero);
        _last = (day.ToUnixTimeMilliseconds(), day.AddDays(1).ToUnixTimeMilliseconds());
        _wanted = Partitions.Of(table, key, isDaily, moment);
        return _seen.Add(_wanted.Name);
    }

    /// <summary>The one that was new.</summary>
    public Task MakeAsync(CancellationToken cancel) => Partitions.EnsureAsync(connection, _wanted!, cancel);

    /// <summary>RFC 9562: the first 48 bits.</summary>
    private static long MillisecondsOf(Guid id)
    {
        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        return (long)(BinaryPrimitives.ReadUInt64BigEndian(bytes) >> 16);
    }
}
