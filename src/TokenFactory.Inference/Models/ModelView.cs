using System.Text.Json.Serialization;

namespace TokenFactory.Inference.Models;

/// <summary>OpenAI's model object.</summary>
/// <param name="Created">Unix seconds; 0, because a name's age means nothing here.</param>
internal sealed record ModelView(string Id, string Object, long Created, string OwnedBy);

internal sealed record ModelListView(string Object, IReadOnlyList<ModelView> Data);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ModelView))]
[JsonSerializable(typeof(ModelListView))]
internal sealed partial class ModelJson : JsonSerializerContext;
