using TokenFactory.Administration.Configuration.Reading;

namespace TokenFactory.Administration.Secrets;

/// <summary>Seals what somebody typed or piped: what a provider's credential could not be is refused before it is sealed, because nobody could see it afterwards.</summary>
public static class SealedSecrets
{
    /// <param name="typed">A last line break is not part of the secret.</param>
    /// <returns>The sealed text, or what is wrong with the secret.</returns>
    public static (string? Text, string? Mistake) Seal(SecretKeyring keys, SecretBinding binding, ReadOnlySpan<byte> typed)
    {
        var secret = typed.TrimEnd("\r\n"u8);
        if (secret.Length > SecretKeyring.MaxSecretBytes)
        {
            return (null, $"The secret is larger than {SecretKeyring.MaxSecretBytes} bytes.");
        }

        return CredentialReference.MistakeIn(secret) is { } unfit ? (null, $"Standard input: {unfit}.") : (keys.Seal(binding, secret), null);
    }
}
