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
        Span<byte> place = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(place, sequence);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(previous);
        hash.AppendData(place);
        hash.AppendData(body);
        return hash.GetHashAndReset();
    }
}
