namespace TokenFactory.Tokenizer;

/// <summary>The tokens a chat has beside its text, by the rule OpenAI publishes in "How to count tokens with tiktoken"
/// (OpenAI Cookbook) for every model since gpt-3.5-turbo-0613. Role, name and content are counted as text on top.</summary>
public static class ChatOverhead
{
    /// <summary>What frames one message.</summary>
    public const int TokensPerMessage = 3;

    /// <summary>What a name adds to its message.</summary>
    public const int TokensPerName = 1;

    /// <summary>What primes the reply, once per request.</summary>
    public const int TokensPerReply = 3;

    /// <param name="messages">How many messages the request has.</param>
    /// <param name="names">How many of them carry a name.</param>
    public static int Of(int messages, int names = 0)
    {
        return (messages * TokensPerMessage) + (names * TokensPerName) + TokensPerReply;
    }
}
