namespace TokenFactory.Inference.ReadModel;

/// <summary>The language of an API: what its bodies, events and errors look like. A client speaks one, a backend speaks one.</summary>
public enum Dialect
{
    /// <summary>OpenAI's chat completions, completions and embeddings.</summary>
    OpenAi = 0,

    /// <summary>Anthropic's Messages.</summary>
    Anthropic = 1,

    /// <summary>OpenAI's Responses: another body, other events, the same errors.</summary>
    Responses = 2,
}
