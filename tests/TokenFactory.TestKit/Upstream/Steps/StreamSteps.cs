using System.Text;
using TokenFactory.TestKit.Upstream.Anthropic;
using TokenFactory.TestKit.Upstream.Responses;

namespace TokenFactory.TestKit.Upstream.Steps;

/// <summary>A faithful stream, step by step.</summary>
internal static class StreamSteps
{
    public static Step Head { get; } = new(StepKind.Head, play => play.HeadAsync(200, [new("content-type", "text/event-stream; charset=utf-8"), new("cache-control", "no-cache")]));

    public static Step Done { get; } = new(StepKind.Done, play => play.FrameAsync("[DONE]"u8));

    public static Step Usage(bool always = false, Func<UpstreamUsage, UpstreamUsage>? says = null) => new(StepKind.Usage, play =>
        always || play.Ask.IncludeUsage
            ? play.FrameAsync(CompletionJson.UsageChunk(play, says is null ? play.Usage : says(play.Usage)))
            : ValueTask.CompletedTask);

    public static IEnumerable<Step> Of(Play play, string[] pieces)
    {
        if (play.Ask.Operation == UpstreamOperation.Messages)
        {
            return MessageSteps.Stream(pieces.Length == 0 ? MessageAnswer.To(play) : MessageAnswer.Of([MessageBlock.Text(pieces)]));
        }

        var answer = pieces.Length == 0 ? HonestAnswer.To(play) : new HonestAnswer(pieces, "stop");
        if (play.Ask.Operation == UpstreamOperation.Responses)
        {
            return ResponseSteps.Stream(answer);
        }

        var choices = Enumerable.Range(0, play.Ask.Choices).ToList();
        return
        [
            Head,
            .. choices.Select(Opening),
            .. answer.Pieces.SelectMany(piece => choices.Select(index => Piece(index, piece))),
            .. choices.Select(index => Finish(index, answer.Finish)),
            Usage(),
            Done,
            new Step(StepKind.Ending, over => over.EndAsync()),
        ];
    }

    public static Step Piece(int index, string text) => new(StepKind.Piece, async play =>
    {
        if (play.Ask.Operation == UpstreamOperation.Messages)
        {
            await MessageSteps.PieceAsync(play, text);
            return;
        }

        if (play.Ask.Operation == UpstreamOperation.Responses)
        {
            await ResponseSteps.PieceAsync(play, text);
            return;
        }

        play.Request.SentTokens(UpstreamAsk.CountWords(text));
        await play.FrameAsync(PieceChunk(play, index, text));
        await play.PauseAsync(play.Style.Pause);
    });

    public static ReadOnlySpan<byte> PieceChunk(Play play, int index, string text) => CompletionJson.Chunk(play, index, delta =>
    {
        if (play.Ask.Tool is null)
        {
            delta.WriteString("content", text);
            return;
        }

        delta.WriteStartArray("tool_calls");
        CompletionJson.WriteToolCall(delta, null, null, text, index: 0);
        delta.WriteEndArray();
    }, text, finish: null);

    /// <summary>The first half of the event that a piece would come in.</summary>
    public static byte[] HalfPiece(Play play, string text)
    {
        if (play.Ask.Operation == UpstreamOperation.Messages)
        {
            return MessageSteps.HalfPiece(play, text);
        }

        if (play.Ask.Operation == UpstreamOperation.Responses)
        {
            var json = ResponseJson.OfText(play, isPiece: true, text).Span;
            return [.. Encoding.UTF8.GetBytes(play.Style.Prefix), .. json[..(json.Length / 2)]];
        }

        var chunk = Encoding.UTF8.GetString(PieceChunk(play, 0, text));
        return Encoding.UTF8.GetBytes(play.Style.Prefix + chunk[..(chunk.Length / 2)]);
    }

    public static Step Finish(int index, string reason) => new(StepKind.Finish, play => play.Ask.Operation == UpstreamOperation.Messages
        ? MessageSteps.FinishAsync(play, reason, null)
        : play.FrameAsync(CompletionJson.Chunk(play, index, null, null, reason)));

    private static Step Opening(int index) => new(StepKind.Opening, play => play.Ask.Operation == UpstreamOperation.Completions
        ? ValueTask.CompletedTask
        : play.FrameAsync(CompletionJson.Chunk(play, index, delta =>
        {
            delta.WriteString("role", "assistant");
            if (play.Ask.Tool is not { } tool)
            {
                delta.WriteString("content", "");
                return;
            }

            delta.WriteNull("content");
            delta.WriteStartArray("tool_calls");
            CompletionJson.WriteToolCall(delta, $"call_{play.Request.Number}", tool, "", index: 0);
            delta.WriteEndArray();
        }, null, finish: null)));
}
