using System.Text.Json;

namespace TokenFactory.Inference.ReadModel.Schemas;

/// <summary>
/// What structured output must look like: a JSON Schema (2020-12) of the keywords that <see cref="SchemaReader"/> lists. One that says more
/// is refused when it is read, so that nothing is let through unchecked.
/// </summary>
public sealed class OutputSchema
{
    private readonly SchemaRule _root;

    internal OutputSchema(string id, JsonElement json, SchemaRule root)
    {
        Id = id;
        Json = json;
        _root = root;
    }

    public string Id { get; }

    /// <summary>The schema itself.</summary>
    public JsonElement Json { get; }

    /// <summary>What is wrong with a value, by its place and never by its content; empty when it fits.</summary>
    public IReadOnlyList<string> FaultsOf(JsonElement value) => new SchemaCheck().Run(_root, value);
}
