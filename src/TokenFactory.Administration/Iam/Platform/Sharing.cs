using System.Collections.Frozen;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Routes;

namespace TokenFactory.Administration.Iam.Platform;

/// <summary>Makes equal parts of an answer's entries one object: a million keys have few different limits, lists and projects.</summary>
internal sealed class Sharing
{
    // What differs from entry to entry is not worth remembering.
    private const int MaxKept = 10_000;

    private readonly Dictionary<string, string> _texts = new(StringComparer.Ordinal);
    private readonly Dictionary<LimitSet, LimitSet> _limits = new() { [LimitSet.None] = LimitSet.None };
    private readonly Dictionary<string, ModelAllowList> _models = new(StringComparer.Ordinal);
    private readonly Dictionary<int, FrozenSet<string>> _scopes = [];
    private readonly Dictionary<string, Tenant> _tenants = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Project> _projects = new(StringComparer.Ordinal);
    private readonly Dictionary<string, User> _users = new(StringComparer.Ordinal);

    private static readonly string[] _known = [.. Inference.ReadModel.Scopes.Known];

    public string Text(string text) => Get(_texts, text, static text => text);

    public LimitSet Limits(LimitSet limits) => Get(_limits, limits, static limits => limits);

    /// <exception cref="FormatException">One of them is no pattern.</exception>
    public ModelAllowList Models(IReadOnlyList<string>? patterns) =>
        patterns is null ? ModelAllowList.All : Get(_models, string.Join('\n', patterns), text => ModelAllowList.Of(patterns));

    /// <summary>Those that mean something here; a scope of another product grants nothing.</summary>
    public FrozenSet<string> Scopes(IEnumerable<string> scopes)
    {
        var held = 0;
        foreach (var scope in scopes)
        {
            var index = Array.IndexOf(_known, scope);
            held |= index < 0 ? 0 : 1 << index;
        }

        return Get(_scopes, held, static held => _known.Where((_, i) => (held & (1 << i)) != 0).ToFrozenSet(StringComparer.Ordinal));
    }

    /// <summary>A tenant of which only the name is known: it has nothing.</summary>
    public Tenant Tenant(string name) => Get(_tenants, name, static name => new Tenant(name));

    public Project Project(string name) => Get(_projects, name, static name => new Project(name, null, ModelAllowList.Of([]), LimitSet.None));

    public User User(string name) => Get(_users, name, static name => new User(name, LimitSet.None));

    private static TValue Get<TKey, TValue>(Dictionary<TKey, TValue> known, TKey key, Func<TKey, TValue> make)
        where TKey : notnull
    {
        if (!known.TryGetValue(key, out var value))
        {
            value = make(key);
            if (known.Count < MaxKept)
            {
                known.Add(key, value);
            }
        }

        return value;
    }
}
