using TokenFactory.TestKit.Upstream.Steps;

namespace TokenFactory.TestKit.Upstream.Responses;

/// <summary>A faithful response, streamed step by step or whole.</summary>
internal static class ResponseSteps
{
    public static IEnumerable<Step> Stream(HonestAnswer answer) =>
    [
        StreamSteps.Head,
        new Step(StepKind.Opening, async play =>
        {
            await SayAsync(play, "response.created", ResponseJson.OfResponse(play, "response.created", null, "in_progress", null));
            await SayAsync(play, "response.in_progress", ResponseJson.OfResponse(play, "response.in_progress", null, "in_progress", null));
            await SayAsync(play, "response.output_item.added", ResponseJson.OfItem(play, "response.output_item.added", null));
            if (play.Ask.Tool is null)
            {
                await SayAsync(play, "response.content_part.added", ResponseJson.OfPart(play, "response.content_part.added", ""));
            }
        }),
        .. answer.Pieces.Select(piece => new Step(StepKind.Piece, play => PieceAsync(play, piece))),
        new Step(StepKind.Finish, async play =>
        {
            await SayAsync(play, Kind(play) + ".done", ResponseJson.OfText(play, isPiece: false, answer.Text));
            if (play.Ask.Tool is null)
            {
                await SayAsync(play, "response.content_part.done", ResponseJson.OfPart(play, "response.content_part.done", answer.Text));
            }

            await SayAsync(play, "response.output_item.done", ResponseJson.OfItem(play, "response.output_item.done", answer));
        }),
        new Step(StepKind.Done, play =>
        {
            var type = "response." + ResponseJson.StatusOf(answer);
            return SayAsync(play, type, ResponseJson.OfResponse(play, type, answer, ResponseJson.StatusOf(answer), Stated(play, answer.Tokens)));
        }),
        new Step(StepKind.Ending, play => play.EndAsync()),
    ];

    public static IEnumerable<Step> Whole(Play play, HonestAnswer answer)
    {
        var usage = Stated(play, answer.Tokens);
        return AnswerSteps.OfBytes(200, "application/json", ResponseJson.Whole(play, answer, usage), [], answer.Tokens, usage);
    }

    public static async ValueTask PieceAsync(Play play, string text)
    {
        play.Request.SentTokens(UpstreamAsk.CountWords(text));
        await SayAsync(play, Kind(play) + ".delta", ResponseJson.OfText(play, isPiece: true, text));
        await play.PauseAsync(play.Style.Pause);
    }

    /// <summary>The response has failed, and says what it had used by then.</summary>
    public static ValueTask FailAsync(Play play, string code)
        => SayAsync(play, "response.failed", ResponseJson.OfResponse(play, "response.failed", null, "failed", Stated(play, play.Request.CompletionTokens), code));

    private static ValueTask SayAsync(Play play, string type, ReadOnlyMemory<byte> json) => play.EventAsync(type, json);

    private static string Kind(Play play) => play.Ask.Tool is null ? "response.output_text" : "response.function_call_arguments";

    private static UpstreamUsage? Stated(Play play, int tokens)
    {
        var stated = AnswerSteps.Stated(play, tokens);
        if (stated is not null)
        {
            play.Request.Stated(stated);
        }

        return stated;
    }
}
