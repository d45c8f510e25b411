using System.Collections.Frozen;
using TokenFactory.Inference.ReadModel.Schemas;

namespace TokenFactory.Inference.ReadModel;

/// <summary>What <c>/v1/infer</c> needs beyond a request.</summary>
public sealed record InferSettings
{
    public static InferSettings None { get; } = new();

    /// <summary>The model of an operation (<c>generate</c>, <c>embed</c>, <c>classify</c>, <c>moderate</c>) where a request names none.</summary>
    public FrozenDictionary<string, string> Models { get; init; } = FrozenDictionary<string, string>.Empty;

    /// <summary>Registered output schemas, by id.</summary>
    public FrozenDictionary<string, OutputSchema> Schemas { get; init; } = FrozenDictionary<string, OutputSchema>.Empty;

    /// <summary>What <c>moderate</c> judges by.</summary>
    public IReadOnlyList<string> Categories { get; init; } = ["hate", "harassment", "self_harm", "sexual", "violence", "illicit"];
}
