using TokenFactory.TestKit.Upstream.Steps;
using TokenFactory.TestKit.Upstream.Wires;

namespace TokenFactory.TestKit.Upstream;

/// <summary>How a script is held up, and how it ends before its time.</summary>
public static class ScriptEndings
{
    public static Script Waits(this Script script, Place place, TimeSpan time) => script.Does(place, play => play.PauseAsync(time));

    /// <summary>Holds until the gate opens, then goes on; without a gate, until the caller is gone.</summary>
    public static Script Stalls(this Script script, Place place, Gate? gate = null) => script.Does(place, play => play.StallAsync(gate));

    /// <summary>Cuts the connection there.</summary>
    public static Script Cuts(this Script script, Place place, Cut how = Cut.Reset)
        => (script with { BreaksHttp = true }).EndsWith(place, play => play.CutAsync(how));

    /// <summary>Sends half an event there, then cuts the connection.</summary>
    public static Script CutsInsideFrame(this Script script, Place place, Cut how = Cut.Reset)
        => (script with { BreaksHttp = true }).EndsWith(place, async play =>
        {
            await play.WriteAsync(StreamSteps.HalfPiece(play, " never"));
            await play.CutAsync(how);
        });

    /// <summary>Ends the body in order there, saying nothing of what is missing.</summary>
    public static Script Ends(this Script script, Place place) => script.EndsWith(place, play => play.EndAsync());

    /// <summary>Says the error in an event there, then ends in order, with [DONE] or without.</summary>
    public static Script Fails(this Script script, Place place, string errorJson, bool done = true) => script.EndsWith(place, async play =>
    {
        await play.FrameAsync(errorJson);
        if (done)
        {
            await play.FrameAsync("[DONE]");
        }

        await play.EndAsync();
    });

    /// <summary>Says more words until the caller is gone.</summary>
    public static Script NeverEnds(this Script script, TimeSpan pause) => script.EndsWith(Place.AfterPieces(int.MaxValue), async play =>
    {
        var more = StreamSteps.Piece(0, " more");
        while (!play.Over)
        {
            await more.PlayAsync(play);
            await play.PauseAsync(pause);
        }
    });

    private static Script EndsWith(this Script script, Place place, Func<Play, ValueTask> ending)
        => script.Rewrite(steps => [.. steps.Take(place.In(steps)), new Step(StepKind.Ending, ending)]);
}
