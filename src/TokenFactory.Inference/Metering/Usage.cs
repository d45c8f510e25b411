using TokenFactory.Storage.Ledger;

namespace TokenFactory.Inference.Metering;

/// <summary>What a request used, and what that rests on.</summary>
internal readonly record struct Usage(Evidence Evidence, TokenUsage Tokens)
{
    /// <summary>Of a request that reached no backend, or was answered by hand.</summary>
    public static Usage None { get; } = new(Evidence.KnownZero, TokenUsage.Zero);

    // Counting an input larger than this would cost more than the figure is worth; it is estimated from its bytes.
    private const long CountedInputBytes = 1024 * 1024;

    /// <summary>
    /// The written policy of docs/operations/metering.md: what the backend reported wins, also with a failed answer; else nothing when no backend
    /// took the prompt; the prompt alone when a backend took it and failed; the prompt and what was delivered when a stream was cut.
    /// </summary>
    public static Usage Of(Exchange exchange, Answer? answer, Failure? failure)
    {
        if (exchange.IsByHand)
        {
            return None;
        }

        var delivered = answer is not null && (failure is null || exchange.FirstByteSent);
        if ((delivered ? answer!.Usage : failure is { TookPrompt: true } ? failure.Reported : null) is { } reported)
        {
            return new Usage(Evidence.Reported, reported.ToDisjoint());
        }

        if (failure is { TookPrompt: false } && !delivered)
        {
            return None;
        }

        var output = delivered ? answer!.CountOutput() : 0;
        if (delivered && answer!.InputUsage is { } input)
        {
            // The backend counted what it was given and was cut before it could say what it gave: our count completes its own.
            return new Usage(Evidence.Counted, input.ToDisjoint() with { Output = output, Reasoning = 0 });
        }

        if (exchange.Ask.Conversation is { } conversation)
        {
            // What the backend keeps of earlier turns is input too, and nobody but the backend can count it.
            return new Usage(Evidence.Estimated, new TokenUsage(exchange.Ask.InputEstimate + conversation.Tokens, 0, 0, output, 0));
        }

        return exchange.Ask.InputBytes <= CountedInputBytes
            ? new Usage(Evidence.Counted, new TokenUsage(exchange.Ask.CountInput(), 0, 0, output, 0))
            : new Usage(Evidence.Estimated, new TokenUsage(exchange.Ask.InputEstimate, 0, 0, output, 0));
    }
}
