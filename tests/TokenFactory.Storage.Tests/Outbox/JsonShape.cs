using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace TokenFactory.Storage.Tests.Outbox;

/// <summary>Checks a document against the parts of JSON Schema that our schemas use, and lists every difference.</summary>
internal static class JsonShape
{
    private static readonly string _schemas = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Here())!, "../../../docs/api"));

    /// <summary>A published schema, by its file's name.</summary>
    public static JsonElement Published(string name)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(Path.Combine(_schemas, name)));
        return document.RootElement.Clone();
    }

    public static IReadOnlyList<string> Differences(JsonElement value, JsonElement schema, string path = "$")
    {
        if (schema.TryGetProperty("$ref", out var reference))
        {
            return Differences(value, Referred(reference.GetString()!), path);
        }

        List<string> found = [];
        if (schema.TryGetProperty("oneOf", out var shapes))
        {
            var each = shapes.EnumerateArray().Select(shape => Differences(value, shape, path)).ToArray();
            found.AddRange(each.Count(differences => differences.Count == 0) == 1 ? [] : each.SelectMany(differences => differences).Prepend($"{path}: is not exactly one of these"));
        }

        if (schema.TryGetProperty("const", out var only) && !JsonElement.DeepEquals(only, value))
        {
            found.Add($"{path}: is not {only}");
        }

        if (schema.TryGetProperty("enum", out var choices) && !choices.EnumerateArray().Any(choice => JsonElement.DeepEquals(choice, value)))
        {
            found.Add($"{path}: {value} is none of {choices}");
        }

        if (schema.TryGetProperty("type", out var type) && !Names(type).Any(name => Is(value, name)))
        {
            found.Add($"{path}: {value.ValueKind} is not {type}");
        }

        if (schema.TryGetProperty("minimum", out var minimum) && value.GetDouble() < minimum.GetDouble())
        {
            found.Add($"{path}: below {minimum}");
        }

        if (schema.TryGetProperty("format", out var format) && !(format.GetString() == "uuid" ? value.TryGetGuid(out _) : value.TryGetDateTimeOffset(out _)))
        {
            found.Add($"{path}: no {format}");
        }

        if (value.ValueKind == JsonValueKind.Object && schema.TryGetProperty("properties", out var properties))
        {
            found.AddRange(schema.GetProperty("required").EnumerateArray().Where(name => !value.TryGetProperty(name.GetString()!, out _)).Select(name => $"{path}: {name} is missing"));
            foreach (var member in value.EnumerateObject())
            {
                found.AddRange(properties.TryGetProperty(member.Name, out var inner)
                    ? Differences(member.Value, inner, $"{path}.{member.Name}")
                    : [$"{path}: {member.Name} is not in the schema"]);
            }
        }

        if (value.ValueKind == JsonValueKind.Array && schema.TryGetProperty("items", out var items))
        {
            found.AddRange(value.EnumerateArray().SelectMany((item, index) => Differences(item, items, $"{path}[{index}]")));
        }

        return found;
    }

    /// <summary>A file's name and a JSON pointer into it.</summary>
    private static JsonElement Referred(string reference)
    {
        var (file, pointer) = (reference.Split('#')[0], reference.Split('#')[1]);
        return pointer.Split('/', StringSplitOptions.RemoveEmptyEntries).Aggregate(Published(file), (element, name) => element.ValueKind == JsonValueKind.Array ? element[int.Parse(name, CultureInfo.InvariantCulture)] : element.GetProperty(name));
    }

    private static string Here([CallerFilePath] string here = "") => here;

    private static IEnumerable<string> Names(JsonElement type) =>
        type.ValueKind == JsonValueKind.Array ? type.EnumerateArray().Select(name => name.GetString()!) : [type.GetString()!];

    private static bool Is(JsonElement value, string type) => type switch
    {
        "array" => value.ValueKind == JsonValueKind.Array,
        "object" => value.ValueKind == JsonValueKind.Object,
        "string" => value.ValueKind == JsonValueKind.String,
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "integer" => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _),
        "number" => value.ValueKind == JsonValueKind.Number,
        "null" => value.ValueKind == JsonValueKind.Null,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, null),
    };
}
