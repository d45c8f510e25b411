using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace TokenFactory.Storage;

/// <summary>The one place ids come from: UUIDv7 (RFC 9562), so that rows written together lie together.</summary>
public static class Ids
{
    private const int TimeBytes = 6;
    private const int Bytes = 16;
    private const int MostNameBytes = 32;

#pragma warning disable RS0030 // this is the one place
    public static Guid New(TimeProvider clock) => Guid.CreateVersion7(clock.GetUtcNow());
#pragma warning restore RS0030

    /// <summary>The lowest id of a moment: RFC 9562 puts its milliseconds into the first 48 bits.</summary>
    internal static Guid LowestAt(DateTimeOffset moment)
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        bytes.Clear();
        BinaryPrimitives.WriteInt64BigEndian(bytes, Math.Max(0, moment.ToUnixTimeMilliseconds()) << 16);
        return new Guid(bytes, bigEndian: true);
    }

    /// <summary>The id of a request's adjustment: of the same millisecond, the rest drawn from the request's own id.</summary>
    internal static Guid AdjustmentOf(Guid requestId) => StepOf(requestId, "");

    /// <summary>The id of something that happens to a request once: of the same millisecond, the rest drawn from the request's own id and the name of it.</summary>
    internal static Guid StepOf(Guid requestId, string name)
    {
        Span<byte> id = stackalloc byte[Bytes + MostNameBytes];
        requestId.TryWriteBytes(id, bigEndian: true, out _);
        var named = id[..(Bytes + Encoding.UTF8.GetBytes(name, id[Bytes..]))];
        Span<byte> drawn = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(named, drawn);
        id = id[..Bytes];
        drawn[TimeBytes..Bytes].CopyTo(id[TimeBytes..]);
        id[6] = (byte)((id[6] & 0x0f) | 0x70);
        id[8] = (byte)((id[8] & 0x3f) | 0x80);
        return new Guid(id, bigEndian: true);
    }
}
