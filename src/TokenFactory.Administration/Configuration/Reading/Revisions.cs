using System.Security.Cryptography;
using System.Text;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Administration.Configuration.Reading;

/// <summary>Short names for content: the first 12 hex characters of a SHA-256.</summary>
internal static class Revisions
{
    private const int Length = 12;

    public static string Of(IEnumerable<string> parts)
    {
        // Length-prefixed, so that no two lists of parts read the same.
        var text = new StringBuilder();
        foreach (var part in parts)
        {
            text.Append(part.Length).Append(':').Append(part);
        }

        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())))[..Length];
    }

    /// <summary>A secret's value as a whole digest: it enters the revision, and the revision is shown.</summary>
    public static string OfSecret(Secret? secret) =>
        secret is null ? "" : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret.Reveal())));

    /// <summary>The document as it is after the environment's overrides; order and quotes count, comments and layout do not.</summary>
    public static IEnumerable<string> PartsOf(Node node) => node switch
    {
        ScalarNode scalar => ["=" + scalar.Text],
        ListNode list => ["[", .. list.Items.SelectMany(PartsOf), "]"],
        MappingNode mapping => ["{", .. mapping.Entries.SelectMany(entry => PartsOf(entry.Value).Prepend(entry.Key)), "}"],
        _ => throw new ArgumentOutOfRangeException(nameof(node)),
    };
}
