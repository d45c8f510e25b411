using System.Buffers.Text;
using System.Security.Cryptography;

namespace TokenFactory.Administration.Secrets;

/// <summary>A key that wraps the data keys of sealed secrets.</summary>
/// <param name="version">1 to 16 letters and digits: it stands in every text that is sealed under the key.</param>
public sealed class SecretKey(string version, byte[] value)
{
    public const int SizeBytes = 32;

    public const string Form = "a key has 32 random bytes in base64, base64url or hex, as `gateway admin secrets key` makes it";

    public string Version { get; } = version;

    internal ReadOnlySpan<byte> Value => value;

    /// <summary>A new one, as text.</summary>
    public static string Make() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(SizeBytes));

    /// <summary>The bytes of a key's text; null when it is none.</summary>
    public static byte[]? BytesOf(ReadOnlySpan<char> text)
    {
        try
        {
            byte[] bytes = text.Length == 2 * SizeBytes ? Convert.FromHexString(text)
                : text.ContainsAny('+', '/') || text.EndsWith("=") ? Convert.FromBase64String(text.ToString())
                : Base64Url.DecodeFromChars(text);
            return bytes.Length == SizeBytes ? bytes : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
