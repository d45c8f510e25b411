using TokenFactory.Inference.ReadModel;
using TokenFactory.Tokenizer;

namespace TokenFactory.Inference.Intake;

/// <summary>What the caller asked for, as read in one pass over the body; the body itself stays as it came.</summary>
internal sealed record Ask
{
    public required Operations Operation { get; init; }

    /// <summary>What the body is written in.</summary>
    public Dialect Dialect { get; init; }

    public required PooledBody Body { get; init; }

    public required string Model { get; init; }

    /// <summary>Where the model's JSON string lies in the body, quotes included.</summary>
    public required Range ModelRange { get; init; }

    public bool Stream { get; init; }

    public StreamOptions StreamOptions { get; init; }

    /// <summary>Output tokens per choice at most; null when the caller set no bound.</summary>
    public long? MaxOutputTokens { get; init; }

    public int Choices { get; init; } = 1;

    /// <summary>Bytes of everything a tokenizer would see. Tokens never exceed bytes, so it bounds the input without counting.</summary>
    public required long InputBytes { get; init; }

    /// <summary>Tokens that the dialect adds to the text: message and reply overhead.</summary>
    public required long OverheadTokens { get; init; }

    /// <summary>Input given as token ids, which are counted already.</summary>
    public long GivenTokens { get; init; }

    /// <summary>The response that this one goes on from, as the caller names it; null when it begins anew.</summary>
    public string? PreviousResponseId { get; init; }

    /// <summary>Where <see cref="PreviousResponseId"/> lies in the body, quotes included.</summary>
    public Range PreviousRange { get; init; }

    /// <summary>The conversation that the request goes on with, once somebody has proven that it is the caller's own.</summary>
    public Conversation? Conversation { get; init; }

    /// <summary>A backend names what it was asked to go on from, and the client would not recognise that.</summary>
    public string? InClientsWords(string? text) => Conversation is { } conversation ? text?.Replace(conversation.BackendId, PreviousResponseId, StringComparison.Ordinal) : text;

    /// <summary>What <c>metadata</c> says of governance; null when it says nothing.</summary>
    public GovernanceReader? Metadata { get; init; }

    public Governance Governance { get; init; } = Governance.Undeclared;

    /// <summary>The parameter that carries the input, for errors: <c>messages</c>, <c>prompt</c> or <c>input</c>.</summary>
    public string InputParam => Operation switch
    {
        Operations.Chat => "messages",
        Operations.Completions => "prompt",
        _ => "input",
    };

    /// <summary>Input tokens at most, or exactly once <see cref="CountInput"/> was called.</summary>
    public long InputBound => CountedInput ?? (InputBytes + OverheadTokens + GivenTokens);

    /// <summary>A likely figure for an input nobody counted: English text has about four bytes to a token.</summary>
    public long InputEstimate => CountedInput ?? ((InputBytes + 3) / 4) + OverheadTokens + GivenTokens;

    public long? CountedInput { get; private set; }

    /// <summary>A request that nobody sent, to ask what would become of it.</summary>
    internal static Ask Imagined(Operations operation, string model, long inputTokens, long? maxOutputTokens, Governance governance) => new()
    {
        Operation = operation,
        Body = PooledBody.Empty,
        Model = model,
        ModelRange = default,
        InputBytes = 0,
        OverheadTokens = 0,
        CountedInput = inputTokens,
        MaxOutputTokens = maxOutputTokens,
        Governance = governance,
    };

    /// <summary>Counts the input with the model's own encoding, once; the body must not have been released.</summary>
    public long CountInput() => CountedInput ??= InputCounter.Count(this, TokenEncoding.ForModel(Model));
}

/// <summary>The caller's <c>stream_options</c>, and where to splice ours in.</summary>
/// <param name="Whole">The member's value in the body; empty when it was not sent.</param>
/// <param name="IncludeUsageValue">The value of <c>include_usage</c>; empty when it was not sent.</param>
internal readonly record struct StreamOptions(Range? Whole, bool IsNull, bool IsEmpty, Range? IncludeUsageValue, bool IncludeUsage);
