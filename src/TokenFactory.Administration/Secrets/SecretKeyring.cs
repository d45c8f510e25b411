using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace TokenFactory.Administration.Secrets;

/// <summary>
/// Seals secrets and opens them: each under a random data key of its own (AES-256-GCM), which is wrapped under the first of these keys. All of
/// them open. Who has the sealed text alone has nothing; who has the keys too can open it, but only for whom it was sealed.
/// </summary>
public sealed partial class SecretKeyring(IReadOnlyList<SecretKey> keys)
{
    /// <summary>A longer text is no credential.</summary>
    public const int MaxSecretBytes = 8 * 1024;

    private static readonly byte[] _keyLabel = "tokenfactory sealed key\0"u8.ToArray();
    private static readonly byte[] _secretLabel = "tokenfactory sealed secret\0"u8.ToArray();

    public static SecretKeyring None { get; } = new([]);

    /// <summary>The first seals.</summary>
    public IReadOnlyList<string> Versions { get; } = [.. keys.Select(key => key.Version)];

    /// <exception cref="InvalidOperationException">There is no key.</exception>
    public string Seal(SecretBinding binding, ReadOnlySpan<byte> secret)
    {
        var key = keys.Count > 0 ? keys[0] : throw new InvalidOperationException("there is no key to seal under");
        var bindingBytes = binding.ToBytes();
        var dataKey = RandomNumberGenerator.GetBytes(SecretKey.SizeBytes);
        try
        {
            return new SealedText(key.Version, binding, bindingBytes, Encrypt(key.Value, dataKey, KeyContext(key.Version, bindingBytes)), Encrypt(dataKey, secret, SecretContext(bindingBytes))).ToString();
        }
        finally
        {
            CryptographicOperations.ZeroMemory(dataKey);
        }
    }

    /// <summary>The secret and for whom it was sealed, or why it does not open; nothing of the secret is in that. The caller compares the binding, and clears the bytes.</summary>
    public (byte[]? Secret, SecretBinding? Binding, string? Mistake) Open(string text)
    {
        var (sealedText, dataKey, mistake) = Unwrap(text);
        if (dataKey is null)
        {
            return (null, null, mistake);
        }

        try
        {
            return Decrypt(dataKey, sealedText!.Sealed, SecretContext(sealedText.BindingBytes)) is { } secret ? (secret, sealedText.Binding, null) : (null, null, Damaged(sealedText));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(dataKey);
        }
    }

    /// <summary>The same secret for the same binding, its data key wrapped under the first key; the secret itself is checked and stays as it is.</summary>
    public (string? Text, string? Mistake) Rewrap(string text)
    {
        var (secret, _, unopened) = Open(text);
        if (secret is null)
        {
            return (null, unopened);
        }

        CryptographicOperations.ZeroMemory(secret);
        var (sealedText, dataKey, mistake) = Unwrap(text);
        if (dataKey is null)
        {
            return (null, mistake);
        }

        try
        {
            var first = keys[0];
            return ((sealedText! with { Version = first.Version, WrappedKey = Encrypt(first.Value, dataKey, KeyContext(first.Version, sealedText.BindingBytes)) }).ToString(), null);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(dataKey);
        }
    }

    /// <summary>Every sealed text of a document wrapped under the first key, and the rest of it as it was; or what does not open, with its line.</summary>
    /// <returns>The document, how many sealed texts it has, and the mistakes; with any of them there is no document.</returns>
    public (string? Document, int Count, IReadOnlyList<string> Mistakes) RewrapAll(string document)
    {
        var count = 0;
        List<string> mistakes = [];
        var rewrapped = SealedTexts.Replace(document, match =>
        {
            count++;
            var (text, mistake) = Rewrap(match.Value);
            if (text is null)
            {
                mistakes.Add($"line {document.AsSpan(0, match.Index).Count('\n') + 1}: {mistake}");
            }

            return text ?? match.Value;
        });
        return mistakes.Count > 0 ? (null, count, mistakes) : (rewrapped, count, mistakes);
    }

    private (SealedText? Text, byte[]? DataKey, string? Mistake) Unwrap(string text)
    {
        if (SealedText.Parse(text) is not { } sealedText)
        {
            return (null, null, "this is no sealed text: make one with `gateway admin secrets seal`");
        }

        if (keys.FirstOrDefault(key => key.Version == sealedText.Version) is not { } wrapping)
        {
            var known = Versions.Count == 0 ? "there is none" : $"known: {string.Join(", ", Versions)}";
            return (null, null, $"it is sealed under a key of another version than those in secrets.keys ({known})");
        }

        return Decrypt(wrapping.Value, sealedText.WrappedKey, KeyContext(wrapping.Version, sealedText.BindingBytes)) is { } dataKey
            ? (sealedText, dataKey, null)
            : (null, null, Damaged(sealedText));
    }

    private static string Damaged(SealedText text) => $"it does not open under key {text.Version}: it was changed since it was sealed, or that key is another one than it was sealed under";

    // The version is in it, so that a text cannot be passed off as sealed under another key.
    private static byte[] KeyContext(string version, byte[] binding) => [.. _keyLabel, .. Encoding.UTF8.GetBytes(version), 0, .. binding];

    private static byte[] SecretContext(byte[] binding) => [.. _secretLabel, .. binding];

    private static byte[] Encrypt(ReadOnlySpan<byte> key, ReadOnlySpan<byte> text, ReadOnlySpan<byte> context)
    {
        var whole = new byte[SealedText.NonceBytes + text.Length + SealedText.TagBytes];
        var nonce = whole.AsSpan(0, SealedText.NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(key, SealedText.TagBytes);
        aes.Encrypt(nonce, text, whole.AsSpan(SealedText.NonceBytes, text.Length), whole.AsSpan(SealedText.NonceBytes + text.Length), context);
        return whole;
    }

    private static byte[]? Decrypt(ReadOnlySpan<byte> key, ReadOnlySpan<byte> whole, ReadOnlySpan<byte> context)
    {
        var text = new byte[whole.Length - SealedText.NonceBytes - SealedText.TagBytes];
        using var aes = new AesGcm(key, SealedText.TagBytes);
        try
        {
            aes.Decrypt(whole[..SealedText.NonceBytes], whole.Slice(SealedText.NonceBytes, text.Length), whole[^SealedText.TagBytes..], text, context);
            return text;
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
    }

    [GeneratedRegex("sealed:[A-Za-z0-9]{1,16}:[A-Za-z0-9_-]+")]
    private static partial Regex SealedTexts { get; }
}
