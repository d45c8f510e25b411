using System.Buffers.Binary;

namespace TokenFactory.Inference.ReadModel.Keys;

/// <summary>HMAC-SHA-256 of a whole key: what the read model is looked up by. Keyed, so that equal digests mean equal keys and a digest tells nothing.</summary>
public readonly record struct KeyDigest(ulong A, ulong B, ulong C, ulong D)
{
    public const int SizeBytes = 32;

    public static KeyDigest From(ReadOnlySpan<byte> digest)
    {
        if (digest.Length != SizeBytes)
        {
            throw new ArgumentException("a digest is 32 bytes", nameof(digest));
        }

        return new KeyDigest(
            BinaryPrimitives.ReadUInt64BigEndian(digest),
            BinaryPrimitives.ReadUInt64BigEndian(digest[8..]),
            BinaryPrimitives.ReadUInt64BigEndian(digest[16..]),
            BinaryPrimitives.ReadUInt64BigEndian(digest[24..]));
    }

    public byte[] ToBytes()
    {
        var bytes = new byte[SizeBytes];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, A);
        BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(8), B);
        BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(16), C);
        BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(24), D);
        return bytes;
    }

    // The digest is uniform already: any 32 bits of it are a hash.
    public override int GetHashCode() => (int)A;
}
