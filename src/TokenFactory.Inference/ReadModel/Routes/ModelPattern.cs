namespace TokenFactory.Inference.ReadModel.Routes;

public enum PatternKind
{
    Exact = 0,
    Prefix = 1,
    Suffix = 2,
    Contains = 3,
}

/// <summary>A model name or pattern: <c>gpt-4o</c>, <c>gpt-*</c>, <c>*-turbo</c>, <c>*claude*</c>, <c>*</c> (everything).</summary>
public readonly record struct ModelPattern
{
    private ModelPattern(PatternKind kind, string literal)
    {
        Kind = kind;
        Literal = literal;
    }

    public PatternKind Kind { get; }

    /// <summary>The part without asterisks.</summary>
    public string Literal { get; }

    /// <exception cref="FormatException">It is empty, or has an asterisk in the middle.</exception>
    public static ModelPattern Parse(string text)
    {
        var literal = text.Trim('*');
        if (text.Length == 0 || literal.Contains('*') || text.Contains("**", StringComparison.Ordinal))
        {
            throw new FormatException($"'{text}' is no model pattern: write a name, prefix*, *suffix, *contains* or *");
        }

        var kind = (text[0] == '*', text[^1] == '*') switch
        {
            (true, true) => PatternKind.Contains,
            (true, false) => PatternKind.Suffix,
            (false, true) => PatternKind.Prefix,
            _ => PatternKind.Exact,
        };
        return new ModelPattern(kind, literal);
    }

    public bool Matches(string model) => Kind switch
    {
        PatternKind.Exact => string.Equals(model, Literal, StringComparison.Ordinal),
        PatternKind.Prefix => model.StartsWith(Literal, StringComparison.Ordinal),
        PatternKind.Suffix => model.EndsWith(Literal, StringComparison.Ordinal),
        _ => model.Contains(Literal, StringComparison.Ordinal),
    };

    /// <summary>Most specific first: exact, then the longer literal, then prefix before suffix before contains, then by text.</summary>
    public static Comparison<ModelPattern> MostSpecificFirst { get; } = static (left, right) =>
    {
        var exact = (left.Kind != PatternKind.Exact).CompareTo(right.Kind != PatternKind.Exact);
        if (exact != 0)
        {
            return exact;
        }

        var length = right.Literal.Length.CompareTo(left.Literal.Length);
        if (length != 0)
        {
            return length;
        }

        var kind = left.Kind.CompareTo(right.Kind);
        return kind != 0 ? kind : string.CompareOrdinal(left.Literal, right.Literal);
    };

    public override string ToString() => Kind switch
    {
        PatternKind.Exact => Literal,
        PatternKind.Prefix => Literal + "*",
        PatternKind.Suffix => "*" + Literal,
        _ => Literal.Length == 0 ? "*" : $"*{Literal}*",
    };
}
