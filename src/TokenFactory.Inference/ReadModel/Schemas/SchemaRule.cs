using System.Text.Json;
using System.Text.RegularExpressions;

namespace TokenFactory.Inference.ReadModel.Schemas;

/// <summary>One schema or subschema, read.</summary>
internal sealed class SchemaRule
{
    /// <summary>A schema that is <c>false</c>: nothing fits.</summary>
    public bool Never { get; init; }

    /// <summary>Names of JSON types; null allows all.</summary>
    public string[]? Types { get; set; }

    public JsonElement[]? Enum { get; set; }

    public Dictionary<string, SchemaRule> Properties { get; } = new(StringComparer.Ordinal);

    public List<string> Required { get; } = [];

    /// <summary>Of members that <see cref="Properties"/> does not name; null allows any.</summary>
    public SchemaRule? Additional { get; set; }

    public SchemaRule? Items { get; set; }

    public Regex? Pattern { get; set; }

    /// <summary>Bounds by keyword.</summary>
    public Dictionary<string, decimal> Bounds { get; } = new(StringComparer.Ordinal);

    public bool UniqueItems { get; set; }

    public List<SchemaRule> AllOf { get; } = [];

    public List<SchemaRule>? AnyOf { get; set; }

    public List<SchemaRule>? OneOf { get; set; }

    public SchemaRule? Not { get; set; }

    /// <summary>Where a <c>$ref</c> leads, once everything is read.</summary>
    public SchemaRule? Reference { get; set; }
}
