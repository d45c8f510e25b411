namespace TokenFactory.Administration.Configuration.Reading;

/// <summary>Where a node was written. Line 0 is an environment variable, named by the source.</summary>
internal readonly record struct Origin(string Source, int Line, int Column)
{
    /// <summary>The line of a source that has none and is no environment variable.</summary>
    public const int WithoutLines = -1;

    public bool IsEnvironment => Line == 0;

    /// <summary>In the registry, by whoever may change that: not with the authority of the file.</summary>
    public bool IsRegistered { get; init; }
}

/// <summary>A node of the document, as written; what it means is decided by whoever reads it.</summary>
internal abstract class Node(Origin origin)
{
    public Origin Origin { get; } = origin;
}

internal sealed class ScalarNode(Origin origin, string text, bool isPlain) : Node(origin)
{
    public string Text { get; } = text;

    /// <summary>Without quotes: may stand for a number, a boolean or null.</summary>
    public bool IsPlain { get; } = isPlain;

    public bool IsNull => IsPlain && Text is "" or "~" or "null" or "Null" or "NULL";
}

internal sealed class ListNode(Origin origin) : Node(origin)
{
    public List<Node> Items { get; } = [];
}

internal sealed class MappingNode(Origin origin) : Node(origin)
{
    public List<Entry> Entries { get; } = [];

    /// <summary>The entry of that key; a key that came from the environment also matches in another case or without underscores.</summary>
    public Entry? Find(string key) =>
        Entries.Find(entry => entry.Key == key)
        ?? Entries.Find(entry => entry.KeyOrigin.IsEnvironment && KeySpelling.Same(entry.Key, key));
}

internal sealed class Entry(string key, Origin keyOrigin, Node value)
{
    public string Key { get; } = key;

    public Origin KeyOrigin { get; } = keyOrigin;

    public Node Value { get; set; } = value;
}
