using TokenFactory.Administration.Configuration;
using TokenFactory.Administration.Configuration.Reading;
using TokenFactory.Storage.Registry;

namespace TokenFactory.Administration.Registration;

/// <summary>What an operator wrote, YAML or JSON → documents of the registry. What they say is judged by reading the whole configuration with them.</summary>
internal static class RegistryText
{
    /// <summary>One document of a kind, or a list of them.</summary>
    public static IReadOnlyList<RegistryEdit> Read(RegistryKind kind, string text, string source, ICollection<ConfigurationMistake> mistakes)
    {
        var context = Context(source);
        var edits = new List<RegistryEdit>();
        switch (new YamlTree(text, context).ReadAny())
        {
            case ListNode list:
                list.Items.ForEach(item => Add(kind, item, edits, context));
                break;
            case { } node:
                Add(kind, node, edits, context);
                break;
        }

        return Told(edits, context, mistakes);
    }

    /// <summary>Several kinds at once, in the configuration's sections.</summary>
    public static IReadOnlyList<RegistryEdit> ReadSections(string text, string source, ICollection<ConfigurationMistake> mistakes)
    {
        var context = Context(source);
        var edits = new List<RegistryEdit>();
        var root = new YamlTree(text, context).Read();
        foreach (var entry in root.Entries)
        {
            if (RegistrySections.Kinds.Select(kind => (RegistryKind?)kind).FirstOrDefault(kind => RegistrySections.SectionOf(kind!.Value) == entry.Key) is not { } known)
            {
                context.Mistake(entry.KeyOrigin, entry.Key, "only providers, deployments, models and tiers are registered: the rest belongs in the configuration file");
            }
            else if (entry.Value is ListNode list)
            {
                list.Items.ForEach(item => Add(known, item, edits, context));
            }
            else if (entry.Value is not ScalarNode { IsNull: true })
            {
                context.Mistake(entry.Value.Origin, entry.Key, "write a list");
            }
        }

        return Told(edits, context, mistakes);
    }

    private static List<RegistryEdit> Told(List<RegistryEdit> edits, ReadingContext context, ICollection<ConfigurationMistake> mistakes)
    {
        if (edits.Count == 0 && context.Mistakes.Count == 0)
        {
            context.Mistake(new Origin(context.Source, 1, 1), "", "empty: there is nothing to register");
        }

        foreach (var mistake in context.Mistakes)
        {
            mistakes.Add(mistake);
        }

        return edits;
    }

    private static void Add(RegistryKind kind, Node node, List<RegistryEdit> edits, ReadingContext context)
    {
        var word = RegistrySections.WordOf(kind);
        if (node is not MappingNode mapping)
        {
            context.Mistake(node.Origin, "", $"write a {word} as a mapping ({{ name: …, … }})");
            return;
        }

        var named = mapping.Find("name") ?? (kind == RegistryKind.Model ? mapping.Find("match") : null);
        if (named?.Value is not ScalarNode { IsNull: false, Text.Length: > 0 } name)
        {
            context.Mistake(mapping.Origin, "", $"this {word} has no {(kind == RegistryKind.Model ? "name and no match" : "name")}");
            return;
        }

        if (edits.Exists(edit => edit.Kind == kind && edit.Name == name.Text))
        {
            context.Mistake(name.Origin, "", $"the {word} '{name.Text}' is written twice: keep one");
            return;
        }

        edits.Add(new RegistryEdit(kind, name.Text, JsonTree.Write(mapping)));
    }

    private static ReadingContext Context(string source) => new(source, Directory.GetCurrentDirectory(), new Dictionary<string, string>(StringComparer.Ordinal));
}
