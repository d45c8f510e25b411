using System.Collections.Frozen;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace TokenFactory.Inference.ReadModel.Schemas;

/// <summary>Reads a JSON Schema; refuses keywords that would not be checked.</summary>
public sealed class SchemaReader
{
    private const int MaxDepth = 64;

    private static readonly FrozenSet<string> _annotations = FrozenSet.Create(StringComparer.Ordinal,
        "$schema", "$id", "$comment", "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "format", "$defs", "definitions");

    private static readonly FrozenSet<string> _bounds = FrozenSet.Create(StringComparer.Ordinal,
        "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf");

    private static readonly FrozenSet<string> _types = FrozenSet.Create(StringComparer.Ordinal, "object", "array", "string", "number", "integer", "boolean", "null");

    private readonly JsonElement _root;
    private readonly Dictionary<string, SchemaRule> _read = new(StringComparer.Ordinal);
    private readonly List<(SchemaRule From, string Pointer, string At)> _references = [];

    private SchemaReader(JsonElement root) => _root = root;

    /// <summary>The schema, or what is wrong with it and where.</summary>
    public static (OutputSchema? Schema, string? Mistake) Read(string id, ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = MaxDepth });
            var root = document.RootElement.Clone();
            var reader = new SchemaReader(root);
            var rule = reader.Rule(root, "#", depth: 0);
            reader.Resolve();
            return (new OutputSchema(id, root, rule), null);
        }
        catch (JsonException malformed)
        {
            return (null, $"not JSON: line {malformed.LineNumber + 1}");
        }
        catch (InvalidOperationException)
        {
            return (null, "a string holds half of a surrogate pair");
        }
        catch (FormatException wrong)
        {
            return (null, wrong.Message);
        }
    }

    private SchemaRule Rule(JsonElement schema, string at, int depth)
    {
        if (_read.TryGetValue(at, out var known))
        {
            return known;
        }

        if (schema.ValueKind is JsonValueKind.True or JsonValueKind.False)
        {
            return _read[at] = new SchemaRule { Never = schema.ValueKind == JsonValueKind.False };
        }

        if (schema.ValueKind != JsonValueKind.Object || depth > MaxDepth)
        {
            throw new FormatException($"{at}: a schema is an object, true or false");
        }

        var rule = _read[at] = new SchemaRule();
        foreach (var keyword in schema.EnumerateObject())
        {
            Keyword(rule, keyword, at, depth);
        }

        return rule;
    }

    private void Keyword(SchemaRule rule, JsonProperty keyword, string at, int depth)
    {
        var (name, value, inside) = (keyword.Name, keyword.Value, $"{at}/{keyword.Name}");
        switch (name)
        {
            case "type":
                rule.Types = [.. Texts(value, inside, orOne: true)];
                foreach (var type in rule.Types)
                {
                    Require(_types.Contains(type), inside, $"'{type}' is no JSON type");
                }

                break;
            case "enum":
                Require(value.ValueKind == JsonValueKind.Array, inside, "must be an array");
                rule.Enum = [.. value.EnumerateArray()];
                break;
            case "const":
                rule.Enum = [value];
                break;
            case "properties":
                Require(value.ValueKind == JsonValueKind.Object, inside, "must be an object");
                foreach (var member in value.EnumerateObject())
                {
                    rule.Properties[member.Name] = Rule(member.Value, $"{inside}/{Escaped(member.Name)}", depth + 1);
                }

                break;
            case "required":
                rule.Required.AddRange(Texts(value, inside, orOne: false));
                break;
            case "additionalProperties":
                rule.Additional = Rule(value, inside, depth + 1);
                break;
            case "items":
                rule.Items = Rule(value, inside, depth + 1);
                break;
            case "uniqueItems":
                rule.UniqueItems = value.ValueKind == JsonValueKind.True;
                break;
            case "pattern":
                rule.Pattern = PatternOf(value, inside);
                break;
            case "allOf":
                rule.AllOf.AddRange(Rules(value, inside, depth));
                break;
            case "anyOf":
                rule.AnyOf = Rules(value, inside, depth);
                break;
            case "oneOf":
                rule.OneOf = Rules(value, inside, depth);
                break;
            case "not":
                rule.Not = Rule(value, inside, depth + 1);
                break;
            case "$ref":
                Require(value.ValueKind == JsonValueKind.String && value.GetString() is { } target && (target == "#" || target.StartsWith("#/", StringComparison.Ordinal)), inside, "must point into this schema, such as #/$defs/name");
                _references.Add((rule, value.GetString()!, inside));
                break;
            case var bound when _bounds.Contains(bound):
                Require(value.ValueKind == JsonValueKind.Number && value.TryGetDecimal(out _), inside, "must be a number");
                rule.Bounds[bound] = value.GetDecimal();
                break;
            default:
                Require(_annotations.Contains(name), inside, "is no keyword that is checked here: leave it out, or say it with others");
                break;
        }
    }

    private List<SchemaRule> Rules(JsonElement schemas, string at, int depth)
    {
        Require(schemas.ValueKind == JsonValueKind.Array && schemas.GetArrayLength() > 0, at, "must be an array of schemas");
        return [.. schemas.EnumerateArray().Select((schema, index) => Rule(schema, $"{at}/{index}", depth + 1))];
    }

    private void Resolve()
    {
        // A schema that is pointed at may point on.
        for (var next = 0; next < _references.Count; next++)
        {
            var (from, pointer, at) = _references[next];
            from.Reference = Rule(Find(pointer, at), pointer, depth: 0);
        }
    }

    private JsonElement Find(string pointer, string at)
    {
        var found = _root;
        foreach (var step in pointer.Split('/').Skip(1).Select(Unescaped))
        {
            if (found.ValueKind == JsonValueKind.Object && found.TryGetProperty(step, out var member))
            {
                found = member;
            }
            else if (found.ValueKind == JsonValueKind.Array && int.TryParse(step, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index < found.GetArrayLength())
            {
                found = found[index];
            }
            else
            {
                throw new FormatException($"{at}: '{pointer}' points at nothing");
            }
        }

        return found;
    }

    private static Regex PatternOf(JsonElement value, string at)
    {
        Require(value.ValueKind == JsonValueKind.String, at, "must be a regular expression");
        try
        {
            // A dollar is the end in JSON Schema's dialect, and the end or before a last line end in this one.
            var pattern = value.GetString()!;
            return new Regex(pattern.EndsWith('$') && !pattern.EndsWith("\\$", StringComparison.Ordinal) ? pattern[..^1] + "\\z" : pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        }
        catch (Exception wrong) when (wrong is ArgumentException or NotSupportedException)
        {
            throw new FormatException($"{at}: this regular expression cannot be checked in bounded time");
        }
    }

    private static IEnumerable<string> Texts(JsonElement value, string at, bool orOne)
    {
        if (orOne && value.ValueKind == JsonValueKind.String)
        {
            return [value.GetString()!];
        }

        Require(value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(one => one.ValueKind == JsonValueKind.String), at, "must be an array of strings");
        return value.EnumerateArray().Select(one => one.GetString()!);
    }

    private static string Escaped(string name) => name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);

    private static string Unescaped(string step) => step.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);

    private static void Require(bool holds, string at, string otherwise)
    {
        if (!holds)
        {
            throw new FormatException($"{at}: {otherwise}");
        }
    }
}
