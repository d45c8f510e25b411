using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text;

namespace TokenFactory.Storage.Ledger;

/// <summary>
/// The place between two settlements, newest first: pages stay stable while new rows arrive. It names no tenant and grants
/// nothing; the filter beside it still decides what is seen, so a forged one can only ask for another place in one's own rows.
/// </summary>
internal readonly record struct UsageCursor(long AcceptedAtMicros, Guid RequestId)
{
    private const byte Version = 1;
    private const int Length = 1 + sizeof(long) + 16;

    /// <summary>A forged cursor may be beyond the last moment there is.</summary>
    public DateTimeOffset AcceptedAt => Micros.ToTime(Math.Min(AcceptedAtMicros, Micros.Of(DateTimeOffset.MaxValue)));

    /// <summary>
    /// Where the rows behind this place end at the latest, for an index search: a database may look for the times of the filter alone and
    /// pass over every row before the place.
    /// </summary>
    public DateTimeOffset? Until(DateTimeOffset? asked)
    {
        var place = AcceptedAt;
        return place < DateTimeOffset.MaxValue.AddSeconds(-1) && (asked is null || place < asked) ? place.AddMilliseconds(1) : asked;
    }

    public static UsageCursor After(UsageRecord record) => new(Micros.Of(record.AcceptedAt), record.RequestId);

    public static UsageCursor Parse(string text)
    {
        Span<byte> bytes = stackalloc byte[Length];
        if (text.Length > 64
            || !Base64Url.IsValid(text)
            || !Base64Url.TryDecodeFromChars(text, bytes, out var written)
            || written != Length
            || bytes[0] != Version
            || BinaryPrimitives.ReadInt64BigEndian(bytes[1..]) < 0)
        {
            throw new FormatException("The cursor is not one this gateway gave out; start again without it.");
        }

        return new(BinaryPrimitives.ReadInt64BigEndian(bytes[1..]), new Guid(bytes[9..], bigEndian: true));
    }

    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[Length];
        bytes[0] = Version;
        BinaryPrimitives.WriteInt64BigEndian(bytes[1..], AcceptedAtMicros);
        RequestId.TryWriteBytes(bytes[9..], bigEndian: true, out _);
        return Encoding.ASCII.GetString(Base64Url.EncodeToUtf8(bytes));
    }
}
