using TokenFactory.Administration.Configuration.Reading.Sections;

namespace TokenFactory.Administration.Configuration.Reading;

/// <summary>A mapping while it is read. It learns the known keys from what is asked of it, so that no list of them can go stale.</summary>
internal sealed class Section(MappingNode node, string path, ReadingContext context)
{
    private readonly List<string> _known = [];

    public string Path { get; } = path;

    public IEnumerable<string> Keys => node.Entries.Select(entry => entry.Key);

    public Field this[string key]
    {
        get
        {
            _known.Add(key);
            var fieldPath = Path.Length == 0 ? key : $"{Path}.{key}";
            return new Field(node.Find(key)?.Value, node.Origin, fieldPath, context);
        }
    }

    /// <summary>Null where the file or the environment says it, which nothing bounds.</summary>
    public RegisteredBounds? Bounds => node.Origin.IsRegistered ? context.Registered : null;

    /// <summary>To be called after every key was asked for.</summary>
    public void RefuseUnknownKeys()
    {
        foreach (var entry in node.Entries)
        {
            if (!_known.Any(known => node.Find(known) == entry))
            {
                var keyPath = Path.Length == 0 ? entry.Key : $"{Path}.{entry.Key}";
                var hint = KeySpelling.Suggest(entry.Key, _known);
                context.Mistake(entry.KeyOrigin, keyPath, $"unknown key '{entry.Key}'{(hint.Length > 0 ? hint : $"; known here: {string.Join(", ", _known.Distinct())}")}");
            }
        }
    }

    public void Mistake(string message) => context.Mistake(node.Origin, Path, message);
}
