using System.Globalization;
using TokenFactory.TestKit.Upstream.Anthropic;
using TokenFactory.TestKit.Upstream.Moderations;
using TokenFactory.TestKit.Upstream.Responses;

namespace TokenFactory.TestKit.Upstream.Steps;

/// <summary>A whole body with its length, in two halves so that a script can stop between them.</summary>
internal static class AnswerSteps
{
    public static IEnumerable<Step> Of(Play play, string? text)
    {
        if (play.Ask.Operation == UpstreamOperation.Messages)
        {
            return MessageSteps.Whole(play, text is null ? MessageAnswer.To(play) : MessageAnswer.Of([MessageBlock.Text(text)]));
        }

        if (play.Ask.Operation == UpstreamOperation.Moderations)
        {
            return OfModerations(play);
        }

        var answer = text is null ? HonestAnswer.To(play) : HonestAnswer.Of(text);
        if (play.Ask.Operation == UpstreamOperation.Responses)
        {
            return ResponseSteps.Whole(play, answer);
        }

        var tokens = answer.Tokens * play.Ask.Choices;
        var usage = Stated(play, tokens);
        return OfBytes(200, "application/json", CompletionJson.Whole(play, [.. Enumerable.Repeat(answer.Text, play.Ask.Choices)], answer.Finish, usage), [], tokens, usage);
    }

    public static IEnumerable<Step> OfEmbeddings(Play play)
    {
        var usage = Stated(play, 0);
        return OfBytes(200, "application/json", EmbeddingJson.Of(play, usage), [], 0, usage);
    }

    /// <summary>The service says nothing of usage, unless a script has it say so.</summary>
    public static IEnumerable<Step> OfModerations(Play play)
    {
        var usage = play.Style.StatedUsage;
        return OfBytes(200, "application/json", ModerationJson.Of(play, usage), [], 0, usage);
    }

    public static IEnumerable<Step> OfBytes(int status, string contentType, ReadOnlyMemory<byte> bytes, (string Name, string Value)[] headers, int tokens = 0, UpstreamUsage? usage = null)
    {
        var half = bytes.Length / 2;
        return
        [
            new Step(StepKind.Head, play => play.HeadAsync(status,
            [
                new("content-type", contentType),
                new("content-length", (bytes.Length + play.Style.ContentLengthOff).ToString(CultureInfo.InvariantCulture)),
                .. Pairs(headers),
            ])),
            new Step(StepKind.Piece, play => half == 0 ? ValueTask.CompletedTask : play.WriteAsync(bytes[..half])),
            new Step(StepKind.Piece, async play =>
            {
                play.Request.SentTokens(tokens);
                if (usage is not null)
                {
                    play.Request.Stated(usage);
                }

                await play.WriteAsync(bytes[half..]);
            }),
            new Step(StepKind.Ending, play => play.EndAsync()),
        ];
    }

    public static IEnumerable<KeyValuePair<string, string>> Pairs((string Name, string Value)[] headers)
        => headers.Select(header => KeyValuePair.Create(header.Name, header.Value));

    public static UpstreamUsage? Stated(Play play, int tokens, int reasoning = 0) => play.Style.Usage switch
    {
        ChunkUsage.Absent => null,
        ChunkUsage.Zero => new UpstreamUsage(0, 0),
        _ => play.Style.StatedUsage ?? new UpstreamUsage(play.Request.PromptTokens, tokens, Reasoning: reasoning),
    };
}
