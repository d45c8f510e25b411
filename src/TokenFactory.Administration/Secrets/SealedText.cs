using System.Buffers.Text;

namespace TokenFactory.Administration.Secrets;

/// <summary>
/// A sealed secret as text: <c>sealed:&lt;key version&gt;:&lt;base64url&gt;</c>. Within: the form's number, the binding, the wrapped data key (nonce,
/// key, tag) and the secret (nonce, text, tag).
/// </summary>
internal sealed record SealedText(string Version, SecretBinding Binding, byte[] BindingBytes, byte[] WrappedKey, byte[] Sealed)
{
    public const string Prefix = "sealed:";
    public const int MaxLength = 16 * 1024;
    public const int NonceBytes = 12;
    public const int TagBytes = 16;

    private const byte Form = 1;
    private const int WrappedBytes = NonceBytes + SecretKey.SizeBytes + TagBytes;

    /// <summary>Null when it is none. A text that could be spelt otherwise is none: one secret has one text.</summary>
    public static SealedText? Parse(string text)
    {
        if (text.Length > MaxLength || text.Split(':') is not ["sealed", { Length: > 0 and <= 16 } version, { Length: > 0 } encoded] || Decode(encoded) is not { } bytes || bytes[0] != Form)
        {
            return null;
        }

        if (SecretBinding.Read(bytes.AsSpan(1), out var rest) is not { } binding || rest.Length <= WrappedBytes + NonceBytes + TagBytes)
        {
            return null;
        }

        return new SealedText(version, binding, bytes[1..(bytes.Length - rest.Length)], rest[..WrappedBytes].ToArray(), rest[WrappedBytes..].ToArray());
    }

    public override string ToString() => $"{Prefix}{Version}:{Base64Url.EncodeToString([Form, .. BindingBytes, .. WrappedKey, .. Sealed])}";

    private static byte[]? Decode(string encoded)
    {
        try
        {
            var bytes = Base64Url.DecodeFromChars(encoded);
            return bytes.Length > 0 && Base64Url.EncodeToString(bytes) == encoded ? bytes : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
