using System.Security.Cryptography;

namespace TokenFactory.Inference.ReadModel.Keys;

/// <summary>The secret that key digests are made under. Versioned, so that it can be changed while old digests still verify.</summary>
public sealed class Pepper(string version, ReadOnlyMemory<byte> value)
{
    // Looking the algorithm up and keying it costs more than hashing a key: a thread does it once, for the pepper it used last.
    [ThreadStatic]
    private static (Pepper? Pepper, IncrementalHash? Hash) _keyed;

    public string Version { get; } = version;

    public ReadOnlyMemory<byte> Value { get; } = value;

    /// <summary>What the read model knows a key by: HMAC-SHA-256 of its bytes.</summary>
    public KeyDigest Digest(ReadOnlySpan<byte> key)
    {
        if (!ReferenceEquals(_keyed.Pepper, this))
        {
            _keyed.Hash?.Dispose();
            _keyed = (this, IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, Value.Span));
        }

        Span<byte> digest = stackalloc byte[KeyDigest.SizeBytes];
        _keyed.Hash!.AppendData(key);
        _keyed.Hash.GetHashAndReset(digest);
        return KeyDigest.From(digest);
    }
}
