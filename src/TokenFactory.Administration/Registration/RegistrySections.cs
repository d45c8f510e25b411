using TokenFactory.Administration.Configuration.Reading;
using TokenFactory.Storage.Registry;

namespace TokenFactory.Administration.Registration;

/// <summary>
/// Registered documents as lines of the configuration's own sections: they are read by the same rules, may refer to what the file
/// defines, and may not define anything a second time.
/// </summary>
internal static class RegistrySections
{
    private static readonly (RegistryKind Kind, string Word, string Section)[] _kinds =
    [
        (RegistryKind.Provider, "provider", "providers"),
        (RegistryKind.Deployment, "deployment", "deployments"),
        (RegistryKind.Model, "model", "models"),
        (RegistryKind.Tier, "tier", "tiers"),
    ];

    public static IEnumerable<RegistryKind> Kinds => _kinds.Select(one => one.Kind);

    public static string WordOf(RegistryKind kind) => _kinds.First(one => one.Kind == kind).Word;

    public static string SectionOf(RegistryKind kind) => _kinds.First(one => one.Kind == kind).Section;

    /// <summary>What mistakes in it are said to be of.</summary>
    public static string SourceOf(RegistryDocument document) => $"registry: {WordOf(document.Kind)} '{document.Name}'";

    public static void Append(MappingNode root, RegistryContent content, ReadingContext context)
    {
        foreach (var document in content.Documents)
        {
            // A line of its own would be that of a text nobody sees.
            var origin = new Origin(SourceOf(document), Origin.WithoutLines, Origin.WithoutLines) { IsRegistered = true };
            if (JsonTree.Read(document.Body, origin) is not { } node)
            {
                context.Mistake(origin, "", "what the table holds is no JSON object: write it again");
                continue;
            }

            if (ListOf(root, SectionOf(document.Kind), origin) is { } list)
            {
                list.Items.Add(node);
            }
        }
    }

    // The file's section may be there and be no list: that is its own mistake, told where it is read.
    private static ListNode? ListOf(MappingNode root, string section, Origin origin)
    {
        var entry = root.Find(section);
        if (entry is null)
        {
            root.Entries.Add(entry = new Entry(section, origin, new ListNode(origin)));
        }
        else if (entry.Value is ScalarNode { IsNull: true })
        {
            entry.Value = new ListNode(entry.Value.Origin);
        }

        return entry.Value as ListNode;
    }
}
