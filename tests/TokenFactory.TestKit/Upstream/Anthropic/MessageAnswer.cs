using TokenFactory.TestKit.Upstream.Steps;

namespace TokenFactory.TestKit.Upstream.Anthropic;

/// <summary>What a healthy backend would answer: the blocks in order, and why it stopped.</summary>
internal sealed record MessageAnswer(IReadOnlyList<MessageBlock> Blocks, string StopReason, string? StopSequence = null)
{
    public int Tokens => Blocks.Sum(block => block.Tokens);

    public int ThinkingTokens => Blocks.Where(block => block.Kind == MessageBlockKind.Thinking).Sum(block => block.Tokens);

    public static MessageAnswer To(Play play)
    {
        var ask = play.Ask;
        IReadOnlyList<MessageBlock> thoughts = ask.Thinks ? [MessageBlock.Thought("Let", " me", " think.")] : [];
        if (ask.Tool is { } tool)
        {
            return new MessageAnswer([.. thoughts, MessageBlock.Call(tool, [.. HonestAnswer.To(play).Pieces])], "tool_use");
        }

        var text = play.Upstream.Answer(ask);
        var (stop, at) = FirstStop(ask.StopSequences, text);
        var answer = HonestAnswer.Of(stop is null ? text : text[..at], Left(ask.MaxTokens, thoughts));
        IReadOnlyList<MessageBlock> blocks = answer.Pieces.Count == 0 ? thoughts : [.. thoughts, MessageBlock.Text([.. answer.Pieces])];
        return answer.Finish == "length" ? new MessageAnswer(blocks, "max_tokens") : new MessageAnswer(blocks, stop is null ? "end_turn" : "stop_sequence", stop);
    }

    public static MessageAnswer Of(IReadOnlyList<MessageBlock> blocks)
        => new(blocks, blocks.Any(block => block.Kind == MessageBlockKind.ToolUse) ? "tool_use" : "end_turn");

    private static int? Left(int? maxTokens, IReadOnlyList<MessageBlock> thoughts)
        => maxTokens is { } most ? Math.Max(0, most - thoughts.Sum(block => block.Tokens)) : null;

    private static (string? Stop, int At) FirstStop(IReadOnlyList<string> stops, string text)
        => stops.Select(stop => (Stop: (string?)stop, At: text.IndexOf(stop, StringComparison.Ordinal))).Where(found => found.At >= 0).OrderBy(found => found.At).FirstOrDefault();
}
