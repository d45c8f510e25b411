using System.Text;
using TokenFactory.TestKit.Upstream.Steps;

namespace TokenFactory.TestKit.Upstream.Anthropic;

/// <summary>A faithful message, streamed step by step or whole.</summary>
internal static class MessageSteps
{
    public static IEnumerable<Step> Stream(MessageAnswer answer) =>
    [
        StreamSteps.Head,
        new Step(StepKind.Opening, OpenAsync),
        .. answer.Blocks.SelectMany(Block),
        new Step(StepKind.Finish, play => FinishAsync(play, answer.StopReason, answer.StopSequence)),
        new Step(StepKind.Done, play => play.EventAsync("message_stop", """{"type":"message_stop"}"""u8.ToArray())),
        new Step(StepKind.Ending, play => play.EndAsync()),
    ];

    public static IEnumerable<Step> Whole(Play play, MessageAnswer answer)
    {
        var usage = AnswerSteps.Stated(play, answer.Tokens, answer.ThinkingTokens);
        return AnswerSteps.OfBytes(200, "application/json", MessageJson.Whole(play, answer, usage), [], answer.Tokens, usage);
    }

    public static IEnumerable<Step> Count(Play play)
        => AnswerSteps.OfBytes(200, "application/json", CompletionJson.Write(json => json.WriteNumber("input_tokens", play.Ask.PromptTokens)), []);

    /// <summary>A piece of the block that is open now.</summary>
    public static async ValueTask PieceAsync(Play play, string text)
    {
        var words = UpstreamAsk.CountWords(text);
        play.Request.SentTokens(words);
        if (play.OpenBlock.Kind == MessageBlockKind.Thinking)
        {
            play.Thought(words);
        }

        await play.EventAsync("content_block_delta", PieceJson(play, text));
        await play.PauseAsync(play.Style.Pause);
    }

    /// <summary>The first half of the event that such a piece would come in.</summary>
    public static byte[] HalfPiece(Play play, string text)
    {
        var json = Encoding.UTF8.GetString(PieceJson(play, text).Span);
        return Encoding.UTF8.GetBytes($"event: content_block_delta{play.Style.LineEnd}{play.Style.Prefix}{json[..(json.Length / 2)]}");
    }

    /// <summary>Why it stopped, and the totals: what they were at the start, and all the output.</summary>
    public static ValueTask FinishAsync(Play play, string reason, string? sequence)
        => play.EventAsync("message_delta", MessageJson.MessageDelta(reason, sequence, Stated(play, play.Usage)));

    private static ValueTask OpenAsync(Play play)
    {
        // The input is known before the first word; of the output the service states the first token in advance.
        var first = Math.Min(1, play.Style.StatedUsage?.Completion ?? 1);
        return play.EventAsync("message_start", MessageJson.Start(play, Stated(play, play.Usage with { Completion = first, Reasoning = 0 })));
    }

    private static IEnumerable<Step> Block(MessageBlock block, int index)
    {
        yield return new Step(StepKind.Other, async play =>
        {
            play.OpenBlock = (index, block.Kind);
            await play.EventAsync("content_block_start", MessageJson.BlockStart(play, block, index));
            if (index == 0)
            {
                await play.EventAsync("ping", """{"type": "ping"}"""u8.ToArray());
            }

            if (block.Kind == MessageBlockKind.ToolUse)
            {
                await play.EventAsync("content_block_delta", PieceJson(play, ""));
            }
        });
        foreach (var piece in block.Kind == MessageBlockKind.RedactedThinking ? [] : block.Pieces)
        {
            yield return new Step(StepKind.Piece, play => PieceAsync(play, piece));
        }

        if (block.Kind == MessageBlockKind.Thinking)
        {
            yield return new Step(StepKind.Other, play => play.EventAsync("content_block_delta", MessageJson.Delta(play, index, "signature_delta", "signature", block.Signature)));
        }

        yield return new Step(StepKind.Other, play => play.EventAsync("content_block_stop", MessageJson.BlockStop(index)));
    }

    private static ReadOnlyMemory<byte> PieceJson(Play play, string text) => play.OpenBlock.Kind switch
    {
        MessageBlockKind.ToolUse => MessageJson.Delta(play, play.OpenBlock.Index, "input_json_delta", "partial_json", text),
        MessageBlockKind.Thinking => MessageJson.Delta(play, play.OpenBlock.Index, "thinking_delta", "thinking", text),
        _ => MessageJson.Delta(play, play.OpenBlock.Index, "text_delta", "text", text),
    };

    private static UpstreamUsage? Stated(Play play, UpstreamUsage usage)
    {
        UpstreamUsage? stated = play.Style.Usage switch
        {
            ChunkUsage.Absent => null,
            ChunkUsage.Zero => new UpstreamUsage(0, 0),
            _ => usage,
        };
        if (stated is not null)
        {
            play.Request.Stated(stated);
        }

        return stated;
    }
}
