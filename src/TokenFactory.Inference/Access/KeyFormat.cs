using System.IO.Hashing;
using System.Text;

namespace TokenFactory.Inference.Access;

/// <summary>
/// The form of the keys made here: <c>tfk_&lt;8-character id&gt;_&lt;43-character secret&gt;&lt;6-character checksum&gt;</c>, base62
/// throughout. Prefix and checksum let scanners find leaks and a typing mistake fail without a lookup; neither proves
/// anything. The checksum is the CRC-32 (IEEE 802.3) of all text before it, most significant digit first.
/// </summary>
public static class KeyFormat
{
    public const int IdLength = 8;
    public const int SecretLength = 43;
    public const int ChecksumLength = 6;
    public const int Length = 4 + IdLength + 1 + SecretLength + ChecksumLength;

    private const int IdStart = 4;
    private const int SecretStart = IdStart + IdLength + 1;

    public static ReadOnlySpan<byte> Prefix => "tfk_"u8;

    /// <summary>Whether it claims to be one of ours: then a wrong form is a typing mistake, not somebody's opaque key.</summary>
    public static bool LooksOurs(ReadOnlySpan<byte> key) => key.StartsWith(Prefix);

    /// <summary>Whether every character is in place and the checksum agrees. Allocates nothing.</summary>
    public static bool IsWellFormed(ReadOnlySpan<byte> key)
    {
        if (key.Length != Length || !LooksOurs(key) || key[SecretStart - 1] != (byte)'_'
            || !IsBase62(key.Slice(IdStart, IdLength)) || !IsBase62(key[SecretStart..]))
        {
            return false;
        }

        Span<byte> checksum = stackalloc byte[ChecksumLength];
        WriteChecksum(key[..^ChecksumLength], checksum);
        return checksum.SequenceEqual(key[^ChecksumLength..]);
    }

    /// <summary>The public id inside a well-formed key.</summary>
    public static bool TryReadId(ReadOnlySpan<byte> key, out string id)
    {
        if (!IsWellFormed(key))
        {
            id = "";
            return false;
        }

        id = Encoding.ASCII.GetString(key.Slice(IdStart, IdLength));
        return true;
    }

    /// <summary>The six base62 digits that end a key whose text before them is <paramref name="text"/>.</summary>
    public static void WriteChecksum(ReadOnlySpan<byte> text, Span<byte> checksum)
    {
        var rest = Crc32.HashToUInt32(text);
        for (var i = ChecksumLength - 1; i >= 0; i--)
        {
            checksum[i] = (byte)Base62.Digits[(int)(rest % (uint)Base62.Digits.Length)];
            rest /= (uint)Base62.Digits.Length;
        }
    }

    private static bool IsBase62(ReadOnlySpan<byte> text)
    {
        foreach (var character in text)
        {
            if (!char.IsAsciiLetterOrDigit((char)character))
            {
                return false;
            }
        }

        return true;
    }
}
