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

    // Asking the system for the few random bytes of one id costs more than all the rest of it.
    private const int IdsAtOnce = 64;

    [ThreadStatic]
    private static byte[]? _random;

    [ThreadStatic]
    private static int _left;

    public static Guid New(TimeProvider clock)
    {
        Span<byte> id = stackalloc byte[Bytes];
        BinaryPrimitives.WriteInt64BigEndian(id, Math.Max(0, clock.GetUtcNow().ToUnixTimeMilliseconds()) << 16);
        if (_left == 0)
        {
            RandomNumberGenerator.Fill(_random ??= new byte[IdsAtOnce * (Bytes - TimeBytes)]);
            _left = IdsAtOnce;
        }

        _random.AsSpan(--_left * (Bytes - TimeBytes), Bytes - TimeBytes).CopyTo(id[TimeBytes..]);
        return Version7(id);
    }

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
        return Version7(id);
    }

    private static Guid Version7(Span<byte> id)
    {
        id[6] = (byte)((id[6] & 0x0f) | 0x70);
        id[8] = (byte)((id[8] & 0x3f) | 0x80);
        return new Guid(id, bigEndian: true);
    }
}
