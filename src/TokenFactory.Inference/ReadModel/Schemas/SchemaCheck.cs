using System.Globalization;
using System.Text.Json;

namespace TokenFactory.Inference.ReadModel.Schemas;

/// <summary>
/// Holds one value to a schema, in bounded work: alternatives of alternatives may multiply, and what takes too long to be checked does not
/// fit. Faults name places and keywords, never what stands there: they may be shown and logged.
/// </summary>
internal sealed class SchemaCheck
{
    public const int MaxFaults = 8;

    // Of comparisons, elements and members; an honest answer takes a few thousand.
    private const int WorkBound = 200_000;

    // Deeper than any value: only a schema that refers to itself without looking at anything gets there.
    private const int DepthBound = 256;

    private readonly List<string> _faults = [];
    private int _trying;
    private int _work;
    private int _found;

    public IReadOnlyList<string> Run(SchemaRule rule, JsonElement value)
    {
        try
        {
            Check(rule, value, "$", depth: 0);
        }
        catch (Exception unreadable) when (unreadable is InvalidOperationException or ArgumentException or OverflowException)
        {
            // Half of a surrogate pair, or a number that no number type holds.
            _faults.Add("$: holds something that cannot be read");
        }

        if (_work > WorkBound)
        {
            _faults.Insert(0, "$: takes too long to be checked");
        }

        return _faults.Count > MaxFaults ? _faults[..MaxFaults] : _faults;
    }

    /// <summary>Whether it is decided: an alternative that does not fit, a full list, or no time left.</summary>
    private bool IsOver => _work > WorkBound || (_trying > 0 ? _found > 0 : _faults.Count >= MaxFaults);

    private void Check(SchemaRule rule, JsonElement value, string at, int depth)
    {
        _work++;
        if (IsOver)
        {
            return;
        }

        if (rule.Never || depth > DepthBound)
        {
            Fault(at, "nothing may stand here");
            return;
        }

        if (rule.Reference is { } reference)
        {
            Check(reference, value, at, depth + 1);
        }

        if (rule.Types is { } types && !types.Any(type => Is(value, type)))
        {
            Fault(at, $"must be {string.Join(" or ", types)}");
            return;
        }

        if (rule.Enum is { } allowed && !allowed.Any(one => JsonElement.DeepEquals(one, value)))
        {
            Fault(at, $"must be one of the schema's {allowed.Length} values");
        }

        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                Members(rule, value, at, depth);
                break;
            case JsonValueKind.Array:
                Elements(rule, value, at, depth);
                break;
            case JsonValueKind.String:
                Text(rule, value.GetString()!, at);
                break;
            case JsonValueKind.Number:
                Number(rule, value, at);
                break;
        }

        Combined(rule, value, at, depth);
    }

    private static bool Is(JsonElement value, string type) => type switch
    {
        "object" => value.ValueKind == JsonValueKind.Object,
        "array" => value.ValueKind == JsonValueKind.Array,
        "string" => value.ValueKind == JsonValueKind.String,
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "null" => value.ValueKind == JsonValueKind.Null,
        "number" => value.ValueKind == JsonValueKind.Number,
        _ => value.ValueKind == JsonValueKind.Number && value.TryGetDecimal(out var number) && decimal.IsInteger(number),
    };

    private void Members(SchemaRule rule, JsonElement value, string at, int depth)
    {
        var count = 0;
        foreach (var member in value.EnumerateObject())
        {
            _work++;
            if (IsOver)
            {
                return;
            }

            count++;
            var named = rule.Properties.GetValueOrDefault(member.Name);
            if (named is null && rule.Additional is { Never: true })
            {
                Fault(at, "has a member that the schema does not name");
            }
            else if ((named ?? rule.Additional) is { } inside)
            {
                Check(inside, member.Value, named is null ? $"{at}.*" : $"{at}.{member.Name}", depth + 1);
            }
        }

        foreach (var name in rule.Required)
        {
            if (!value.TryGetProperty(name, out _))
            {
                Fault($"{at}.{name}", "is missing");
            }
        }

        Bound(rule, "minProperties", "maxProperties", count, at, "members");
    }

    private void Elements(SchemaRule rule, JsonElement value, string at, int depth)
    {
        Bound(rule, "minItems", "maxItems", value.GetArrayLength(), at, "elements");
        var index = 0;
        foreach (var element in rule.Items is null ? default : value.EnumerateArray())
        {
            if (IsOver)
            {
                return;
            }

            Check(rule.Items!, element, string.Create(CultureInfo.InvariantCulture, $"{at}[{index++}]"), depth + 1);
        }

        if (rule.UniqueItems)
        {
            Unique(value, at);
        }
    }

    private void Unique(JsonElement value, string at)
    {
        var seen = new List<JsonElement>();
        foreach (var element in value.EnumerateArray())
        {
            _work += seen.Count;
            if (IsOver)
            {
                return;
            }

            if (seen.Exists(one => JsonElement.DeepEquals(one, element)))
            {
                Fault(at, "its elements must differ");
                return;
            }

            seen.Add(element);
        }
    }

    private void Text(SchemaRule rule, string text, string at)
    {
        // JSON Schema counts characters, of which some are two of ours.
        if (rule.Bounds.Count > 0)
        {
            Bound(rule, "minLength", "maxLength", text.EnumerateRunes().Count(), at, "characters");
        }

        if (rule.Pattern is { } pattern && !pattern.IsMatch(text))
        {
            Fault(at, "does not match the schema's pattern");
        }
    }

    private void Number(SchemaRule rule, JsonElement value, string at)
    {
        if (rule.Bounds.Count == 0)
        {
            return;
        }

        if (!value.TryGetDecimal(out var number))
        {
            Fault(at, "is too large a number to be checked");
            return;
        }

        Bound(rule, "minimum", "maximum", number, at, "in value");
        if ((rule.Bounds.TryGetValue("exclusiveMinimum", out var above) && number <= above) || (rule.Bounds.TryGetValue("exclusiveMaximum", out var below) && number >= below))
        {
            Fault(at, "is outside of its bounds");
        }

        if (rule.Bounds.TryGetValue("multipleOf", out var step) && step != 0 && number % step != 0)
        {
            Fault(at, $"must be a multiple of {step.ToString(CultureInfo.InvariantCulture)}");
        }
    }

    private void Bound(SchemaRule rule, string least, string most, decimal actual, string at, string what)
    {
        if (rule.Bounds.TryGetValue(least, out var min) && actual < min)
        {
            Fault(at, $"must be at least {min.ToString(CultureInfo.InvariantCulture)} {what}");
        }

        if (rule.Bounds.TryGetValue(most, out var max) && actual > max)
        {
            Fault(at, $"must be at most {max.ToString(CultureInfo.InvariantCulture)} {what}");
        }
    }

    private void Combined(SchemaRule rule, JsonElement value, string at, int depth)
    {
        foreach (var one in rule.AllOf)
        {
            Check(one, value, at, depth + 1);
        }

        if (rule.AnyOf is { } any && !any.Exists(one => Fits(one, value, depth)))
        {
            Fault(at, "fits none of anyOf");
        }

        if (rule.OneOf is { } exactly && exactly.Count(one => Fits(one, value, depth)) != 1)
        {
            Fault(at, "must fit one of oneOf and no other");
        }

        if (rule.Not is { } not && Fits(not, value, depth))
        {
            Fault(at, "must not fit what 'not' says");
        }
    }

    /// <summary>Ends at the first fault, which is not told: it is one of several ways.</summary>
    private bool Fits(SchemaRule rule, JsonElement value, int depth)
    {
        var found = _found;
        _found = 0;
        _trying++;
        Check(rule, value, "", depth + 1);
        _trying--;
        var fits = _found == 0;
        _found = found;
        return fits;
    }

    private void Fault(string at, string what)
    {
        if (_trying > 0)
        {
            _found++;
        }
        else
        {
            _faults.Add($"{at}: {what}");
        }
    }
}
