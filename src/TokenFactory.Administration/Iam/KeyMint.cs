using System.Security.Cryptography;
using System.Text;
using TokenFactory.Inference.Access;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Administration.Iam;

/// <summary>A key as it is shown once, to whoever asked for it.</summary>
public sealed record MintedKey(string Id, Secret Key);

/// <summary>Makes keys of the form <see cref="KeyFormat"/> describes: 43 base62 digits are 256 bits.</summary>
internal static class KeyMint
{
    public static string NewId() => RandomNumberGenerator.GetString(Base62.Digits, KeyFormat.IdLength);

    /// <summary>A new secret of that key.</summary>
    public static MintedKey Mint(string id)
    {
        var text = Encoding.ASCII.GetBytes($"tfk_{id}_{RandomNumberGenerator.GetString(Base62.Digits, KeyFormat.SecretLength)}");
        Span<byte> checksum = stackalloc byte[KeyFormat.ChecksumLength];
        KeyFormat.WriteChecksum(text, checksum);
        return new MintedKey(id, new Secret(Encoding.ASCII.GetString([.. text, .. checksum])));
    }
}
