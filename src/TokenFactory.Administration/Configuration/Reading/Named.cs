namespace TokenFactory.Administration.Configuration.Reading;

/// <summary>What has a name in its scope: found by it, and defined once.</summary>
/// <param name="comparer">Null takes names that differ only in case for two.</param>
internal sealed class Named<T>(string what, StringComparer? comparer = null)
    where T : class
{
    private readonly Dictionary<string, (T Value, string Path)> _byName = new(comparer ?? StringComparer.Ordinal);

    public IEnumerable<T> Values => _byName.Values.Select(entry => entry.Value);

    public bool Has(string name) => _byName.ContainsKey(name);

    public void Add(Field nameField, string? name, T value)
    {
        if (name is not null && !_byName.TryAdd(name, (value, nameField.Path)))
        {
            nameField.Mistake($"there is a {what} named '{name}' already, at {_byName[name].Path}");
        }
    }

    /// <summary>The referenced value; null when the field is absent or names nothing, which is then a mistake.</summary>
    public T? Find(Field reference)
    {
        if (reference.Text() is not { } name)
        {
            return null;
        }

        if (_byName.TryGetValue(name, out var entry))
        {
            return entry.Value;
        }

        var known = _byName.Count == 0 ? $"none is defined" : $"known: {string.Join(", ", _byName.Keys.Take(20))}";
        reference.Mistake($"there is no {what} named '{name}' ({known}){KeySpelling.Suggest(name, _byName.Keys)}");
        return null;
    }
}
