using System.Text.Json.Serialization;

namespace TokenFactory.Inference.Models;

/// <summary>OpenAI's model object.</summary>
/// <param name="Created">Unix seconds; 0, because a name's age means nothing here.</param>
internal sealed record ModelView(string Id, string Object, long Created, string OwnedBy);

internal sealed record ModelListView(string Object, IReadOnlyList<ModelView> Data);

/// <summary>Anthropic's model object.</summary>
internal sealed record AnthropicModelView(string Type, string Id, string DisplayName, string CreatedAt);

/// <summary>All of them in one page.</summary>
internal sealed record AnthropicModelListView(IReadOnlyList<AnthropicModelView> Data, bool HasMore, string? FirstId, string? LastId);

/// <summary>Anthropic's answer to a request that is to be counted.</summary>
internal sealed record TokenCountView(long InputTokens);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ModelView))]
[JsonSerializable(typeof(ModelListView))]
[JsonSerializable(typeof(AnthropicModelView))]
[JsonSerializable(typeof(AnthropicModelListView))]
[JsonSerializable(typeof(TokenCountView))]
internal sealed partial class ModelJson : JsonSerializerContext;
