using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using TokenFactory.Administration.Secrets;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Addresses;

namespace TokenFactory.Administration.Configuration.Reading;

/// <summary>
/// A provider's credential: <c>env:NAME</c>, <c>file:PATH</c>, or <c>sealed:…</c>, the secret itself encrypted, which opens for the provider
/// that it was sealed for and for no other. Nothing of a secret is in a mistake.
/// </summary>
internal static class CredentialReference
{
    /// <returns>The secret, and the origins it may be shown to; null is wherever the provider's endpoints are.</returns>
    public static (Secret? Secret, FrozenSet<EndpointOrigin>? Origins) Read(Field field, string? tenant, string? provider)
    {
        if (!field.IsText || field.Text(SealedText.MaxLength) is not { } text || !text.StartsWith(SealedText.Prefix, StringComparison.Ordinal))
        {
            var referenced = field.Secret();
            if (referenced?.Reveal().StartsWith(SealedText.Prefix, StringComparison.Ordinal) == true)
            {
                field.Mistake("the reference leads to a sealed text, which would be sent as it is: write the sealed text itself here");
            }

            return (referenced, null);
        }

        var (bytes, binding, mistake) = field.Keys.Open(text);
        if (bytes is null)
        {
            field.Mistake(mistake!);
            return (null, null);
        }

        try
        {
            // A provider without a valid name is a mistake of its own.
            var unfit = provider is not null && (binding!.Provider != provider || binding.Tenant != tenant)
                ? $"it was sealed for {binding} and does not open for another: seal the secret again with --provider {provider}{(tenant is null ? "" : $" --tenant {tenant}")}"
                : MistakeIn(bytes);
            if (unfit is not null)
            {
                field.Mistake(unfit);
                return (null, null);
            }

            return (new Secret(Encoding.ASCII.GetString(bytes)), binding!.Origins.ToFrozenSet());
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
    }

    /// <summary>What is wrong with a secret that is to be sent in a header; null when nothing is.</summary>
    public static string? MistakeIn(ReadOnlySpan<byte> secret) =>
        secret.IsEmpty || secret.ContainsAnyExceptInRange((byte)'!', (byte)'~') ? "the secret must be 1 or more visible ASCII characters without spaces" : null;
}
