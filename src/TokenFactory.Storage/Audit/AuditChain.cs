using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;

namespace TokenFactory.Storage.Audit;

/// <summary>
/// How a writer's records hang together: a record's hash is SHA-256 over the hash before it, its place in the chain as eight bytes
/// (big-endian) and its body. The first one follows SHA-256 of the chain's id. PostgreSQL computes the same (<c>audit_chain</c>).
/// </summary>
internal static class AuditChain
{
    public const int HashBytes = SHA256.HashSizeInBytes;

    /// <summary>What the first record of a chain follows.</summary>
    public static byte[] Beginning(Guid chain)
    {
        Span<byte> id = stackalloc byte[16];
        chain.TryWriteBytes(id, bigEndian: true, out _);
        return SHA256.HashData(id);
    }

    /// <param name="sequence">The record's place: the first is 1.</param>
    public static byte[] Next(ReadOnlySpan<byte> previous, long sequence, ReadOnlySpan<byte> body)
    {
        // In one piece: a hash that is fed piece by piece costs an object of the operating system's library each time.
        var link = ArrayPool<byte>.Shared.Rent(previous.Length + sizeof(long) + body.Length);
        previous.CopyTo(link);
        BinaryPrimitives.WriteInt64BigEndian(link.AsSpan(previous.Length), sequence);
        body.CopyTo(link.AsSpan(previous.Length + sizeof(long)));
        var hash = SHA256.HashData(link.AsSpan(0, previous.Length + sizeof(long) + body.Length));
        ArrayPool<byte>.Shared.Return(link);
        return hash;
    }
}
