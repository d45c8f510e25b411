namespace TokenFactory.Inference.ReadModel;

/// <summary>What a caller asks a model to do; also the capability of a deployment.</summary>
[Flags]
public enum Operations
{
    None = 0,
    Chat = 1,
    Completions = 2,
    Embeddings = 4,
    Moderations = 8,

    /// <summary>OpenAI's Responses, by a backend that speaks them itself. A deployment that chats serves them too, converted and without a memory.</summary>
    Responses = 16,

    /// <summary>What a backend is taken to serve that names nothing. The others are served by few, and asking whoever does not would cost callers their requests: they are named.</summary>
    Usual = Chat | Completions | Embeddings,

    /// <summary>What the built-in model serves.</summary>
    Every = Usual | Moderations | Responses,
}

public static class OperationNames
{
    /// <summary>Every name, for whoever tells what there is.</summary>
    public const string Known = "chat, completions, embeddings, moderations or responses";

    /// <summary>The name in configuration, events and errors: <c>chat</c>, <c>completions</c>, <c>embeddings</c>, <c>moderations</c>, <c>responses</c>.</summary>
    public static string Of(Operations operation) => operation switch
    {
        Operations.Chat => "chat",
        Operations.Completions => "completions",
        Operations.Embeddings => "embeddings",
        Operations.Moderations => "moderations",
        Operations.Responses => "responses",
        _ => throw new ArgumentOutOfRangeException(nameof(operation), operation, "one operation"),
    };

    public static Operations? Find(string name) => name switch
    {
        "chat" => Operations.Chat,
        "completions" => Operations.Completions,
        "embeddings" => Operations.Embeddings,
        "moderations" => Operations.Moderations,
        "responses" => Operations.Responses,
        _ => null,
    };

    extension(Operations operation)
    {
        /// <summary>Whether a model writes an answer, and so output tokens; a vector or a verdict is none.</summary>
        public bool WritesText => (operation & ~(Operations.Embeddings | Operations.Moderations)) != Operations.None;
    }
}
