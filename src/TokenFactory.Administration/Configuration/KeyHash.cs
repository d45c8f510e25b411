using System.Buffers.Text;
using TokenFactory.Inference.ReadModel.Keys;

namespace TokenFactory.Administration.Configuration;

/// <summary>A digest and the version of the pepper it was made under.</summary>
public sealed record KeyHash(string PepperVersion, KeyDigest Digest)
{
    /// <summary>Reads <c>hmac-sha256:&lt;pepper version&gt;:&lt;64 hex digits or base64url&gt;</c>; null when it is anything else.</summary>
    public static KeyHash? Parse(string? text) =>
        text?.Split(':') is ["hmac-sha256", { Length: > 0 and <= 16 } version, var digest] && Bytes(digest) is { } bytes
            ? new KeyHash(version, KeyDigest.From(bytes))
            : null;

    private static byte[]? Bytes(string text)
    {
        try
        {
            var bytes = text.Length == 2 * KeyDigest.SizeBytes ? Convert.FromHexString(text) : Base64Url.DecodeFromChars(text);
            return bytes.Length == KeyDigest.SizeBytes ? bytes : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
