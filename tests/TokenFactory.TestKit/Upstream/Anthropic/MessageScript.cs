using TokenFactory.TestKit.Upstream.Steps;

namespace TokenFactory.TestKit.Upstream.Anthropic;

/// <summary>Beginnings of scripts in the Messages dialect. <see cref="Script.Stream"/>, <see cref="Script.Answer"/> and every
/// shape and ending serve both dialects: each plays in the one that it was asked in.</summary>
public static class MessageScript
{
    /// <summary>A message of these blocks: a stream to who asked for one, else whole. It stops to call a tool when it has one.</summary>
    public static Script Of(params MessageBlock[] blocks) => Of(null, blocks);

    /// <param name="stopReason">Null is what the blocks say themselves.</param>
    public static Script Of(string? stopReason, params MessageBlock[] blocks) => Script.Of(play =>
    {
        var answer = MessageAnswer.Of(blocks);
        answer = stopReason is null ? answer : answer with { StopReason = stopReason };
        return play.Ask.Stream ? MessageSteps.Stream(answer) : MessageSteps.Whole(play, answer);
    });

    /// <summary>An error as Anthropic states it, with the id that the header has.</summary>
    public static Script Error(int status, string type, string message, params (string Name, string Value)[] headers)
        => Script.Of(play => AnswerSteps.OfBytes(status, "application/json", MessageJson.Error(play, type, message), headers)).Named("honest");

    /// <summary>An event out of turn.</summary>
    public static Script Tells(this Script script, Place place, string name, string json) => script.Does(place, play => play.EventAsync(name, json));

    /// <summary>Says the error in an event there, then ends in order.</summary>
    public static Script Breaks(this Script script, Place place, string type, string message) => script.Ends(place)
        .Does(place, play => play.EventAsync("error", MessageJson.Error(play, type, message)));
}
