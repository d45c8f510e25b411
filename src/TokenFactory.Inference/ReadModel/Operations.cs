namespace TokenFactory.Inference.ReadModel;

/// <summary>What a caller asks a model to do; also the capability of a deployment.</summary>
[Flags]
public enum Operations
{
    None = 0,
    Chat = 1,
    Completions = 2,
    Embeddings = 4,
    All = Chat | Completions | Embeddings,
}

public static class OperationNames
{
    /// <summary>The name in configuration, events and errors: <c>chat</c>, <c>completions</c>, <c>embeddings</c>.</summary>
    public static string Of(Operations operation) => operation switch
    {
        Operations.Chat => "chat",
        Operations.Completions => "completions",
        Operations.Embeddings => "embeddings",
        _ => throw new ArgumentOutOfRangeException(nameof(operation), operation, "one operation"),
    };

    public static Operations? Find(string name) => name switch
    {
        "chat" => Operations.Chat,
        "completions" => Operations.Completions,
        "embeddings" => Operations.Embeddings,
        _ => null,
    };
}
