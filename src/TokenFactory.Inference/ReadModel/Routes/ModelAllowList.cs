namespace TokenFactory.Inference.ReadModel.Routes;

/// <summary>Which models may be asked for, by name or pattern.</summary>
public sealed class ModelAllowList
{
    private readonly ModelPattern[]? _patterns;

    private ModelAllowList(ModelPattern[]? patterns) => _patterns = patterns;

    public static ModelAllowList All { get; } = new(null);

    /// <summary>Null allows all; an empty list allows none.</summary>
    public static ModelAllowList Of(IEnumerable<string>? patterns) =>
        patterns is null ? All : new ModelAllowList([.. patterns.Select(ModelPattern.Parse)]);

    /// <summary>Whether a name that the list allows can be one that the pattern matches.</summary>
    public bool AllowsSome(ModelPattern pattern) =>
        pattern.Kind == PatternKind.Exact ? Allows(pattern.Literal) : _patterns is null || _patterns.Any(own => own.Matches(pattern.Literal) || pattern.Matches(own.Literal));

    public bool Allows(string model)
    {
        if (_patterns is null)
        {
            return true;
        }

        foreach (var pattern in _patterns)
        {
            if (pattern.Matches(model))
            {
                return true;
            }
        }

        return false;
    }
}
