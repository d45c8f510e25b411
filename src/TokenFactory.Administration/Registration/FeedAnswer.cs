using System.Text.Json;
using TokenFactory.Administration.Configuration.Reading;
using TokenFactory.Storage.Registry;

namespace TokenFactory.Administration.Registration;

/// <summary>What the control plane says the registry is: everything of it, not a difference.</summary>
/// <param name="Version">Never goes back.</param>
internal sealed record FeedAnswer(long Version, IReadOnlyList<RegistryEdit> Documents)
{
    private const int MostDocuments = 10_000;

    private static readonly JsonDocumentOptions _options = new() { AllowDuplicateProperties = false, MaxDepth = 32 };

    /// <exception cref="FeedRefusedException">It is not of the contract's shape.</exception>
    public static FeedAnswer Read(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body, _options);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
            {
                throw Malformed("it is no JSON object");
            }

            if (!root.TryGetProperty("version", out var number) || number.ValueKind != JsonValueKind.Number || !number.TryGetInt64(out var version) || version < 0)
            {
                throw Malformed("version must be a whole number from 0");
            }

            var documents = new List<RegistryEdit>();
            foreach (var kind in RegistrySections.Kinds)
            {
                ReadSection(root, kind, documents, new HashSet<string>(StringComparer.Ordinal));
            }

            return new FeedAnswer(version, documents);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The latter is half a surrogate pair, which is no text.
            throw new FeedRefusedException(FeedRefusal.Malformed, $"it is no JSON ({e.Message})", e);
        }
    }

    // A section that is forgotten must not be taken for one that is empty: everything in it would go.
    private static void ReadSection(JsonElement root, RegistryKind kind, List<RegistryEdit> documents, HashSet<string> names)
    {
        var section = RegistrySections.SectionOf(kind);
        if (!root.TryGetProperty(section, out var list))
        {
            if (kind == RegistryKind.Tier)
            {
                return;
            }

            throw Malformed($"{section} is missing: write an empty list when there are none");
        }

        if (list.ValueKind != JsonValueKind.Array)
        {
            throw Malformed($"{section} must be a list");
        }

        if (list.GetArrayLength() > MostDocuments)
        {
            throw Malformed($"{section} has more than {MostDocuments} documents");
        }

        foreach (var item in list.EnumerateArray())
        {
            var name = item.ValueKind != JsonValueKind.Object ? null
                : item.TryGetProperty("name", out var named) ? named
                : kind == RegistryKind.Model && item.TryGetProperty("match", out var match) ? match
                : (JsonElement?)null;
            if (name is not { ValueKind: JsonValueKind.String } text || text.GetString() is not { Length: > 0 } known)
            {
                throw Malformed($"each of {section} must be an object with a name");
            }

            if (!names.Add(known))
            {
                throw Malformed($"{section} has '{known}' twice");
            }

            documents.Add(new RegistryEdit(kind, known, JsonTree.Write(JsonTree.NodeOf(item, default))));
        }
    }

    private static FeedRefusedException Malformed(string message) => new(FeedRefusal.Malformed, message);
}
