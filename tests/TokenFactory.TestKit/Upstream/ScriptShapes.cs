using System.Text;
using TokenFactory.TestKit.Upstream.Steps;

namespace TokenFactory.TestKit.Upstream;

/// <summary>What a script says, said differently.</summary>
public static class ScriptShapes
{
    /// <summary>States these numbers, wherever it states usage.</summary>
    public static Script WithUsage(this Script script, long prompt, long completion, long cached = 0, long reasoning = 0, long cacheWritten = 0)
        => script with { Style = script.Style with { StatedUsage = new UpstreamUsage(prompt, completion, cached, reasoning, cacheWritten) } };

    /// <summary>No usage anywhere, asked for or not.</summary>
    public static Script WithoutUsage(this Script script)
        => (script with { Style = script.Style with { Usage = ChunkUsage.Absent } }).Without(StepKind.Usage);

    /// <summary>The final usage chunk comes even when nobody asked.</summary>
    public static Script WithUsageUnasked(this Script script)
        => script.Rewrite(steps => steps.Select(step => step.Kind == StepKind.Usage ? StreamSteps.Usage(always: true) : step));

    /// <summary>A running total on every chunk, as engines with continuous usage send it, and the final chunk as asked.</summary>
    public static Script WithUsageOnEveryChunk(this Script script) => script with { Style = script.Style with { Usage = ChunkUsage.Cumulative } };

    /// <summary>A usage object full of zeros on every chunk, and never a true one.</summary>
    public static Script WithZeroUsageOnEveryChunk(this Script script)
        => (script with { Style = script.Style with { Usage = ChunkUsage.Zero } }).Without(StepKind.Usage);

    /// <summary>Two final usage chunks; the first says what <paramref name="first"/> makes of the true one.</summary>
    public static Script WithUsageTwice(this Script script, Func<UpstreamUsage, UpstreamUsage>? first = null)
        => script.Rewrite(steps => steps.SelectMany(step => step.Kind == StepKind.Usage ? [StreamSteps.Usage(says: first), step] : (Step[])[step]));

    public static Script EndsWithoutDone(this Script script) => script.Without(StepKind.Done);

    public static Script EndsWithoutFinish(this Script script) => script.Without(StepKind.Finish);

    public static Script FinishesWith(this Script script, string reason)
        => script.Rewrite(steps => steps.Select(step => step.Kind == StepKind.Finish ? StreamSteps.Finish(0, reason) : step));

    public static Script WithCrLf(this Script script) => script.WithLineEnds("\r\n");

    public static Script WithLineEnds(this Script script, string lineEnd) => script with { Style = script.Style with { LineEnd = lineEnd } };

    /// <summary>What stands before each event's JSON instead of "data: "; may hold further lines.</summary>
    public static Script WithPrefix(this Script script, string prefix) => script with { Style = script.Style with { Prefix = prefix } };

    /// <summary>Every character outside ASCII as an escape of JSON (of messages; other answers hold what the request held).</summary>
    public static Script Escaped(this Script script) => script with { Style = script.Style with { Escapes = true } };

    /// <summary>No "event:" lines, where the dialect has them.</summary>
    public static Script Unnamed(this Script script) => script with { Style = script.Style with { Unnamed = true } };

    /// <summary>Time between pieces.</summary>
    public static Script Paced(this Script script, TimeSpan pause) => script with { Style = script.Style with { Pause = pause } };

    /// <summary>Every body byte in a write of its own. A reader may still find several at once unless there is a pause.</summary>
    public static Script SplitAtEveryByte(this Script script, TimeSpan pause = default)
        => script with { BreaksHttp = true, Style = script.Style with { EveryByte = true, PauseAtCut = pause } };

    /// <summary>A new write, after a short pause, at each of these body offsets.</summary>
    public static Script SplitAt(this Script script, params long[] offsets)
        => script with { BreaksHttp = true, Style = script.Style with { Cuts = offsets, PauseAtCut = TimeSpan.FromMilliseconds(2) } };

    /// <summary>States a length that is wrong by so many bytes.</summary>
    public static Script WithContentLengthOff(this Script script, int by)
        => script with { BreaksHttp = true, Style = script.Style with { ContentLengthOff = by } };

    /// <summary>An event out of turn.</summary>
    public static Script Says(this Script script, Place place, string json) => script.Does(place, play => play.FrameAsync(json));

    /// <summary>Body bytes out of turn, in no frame.</summary>
    public static Script Writes(this Script script, Place place, string text) => script.Writes(place, Encoding.UTF8.GetBytes(text));

    public static Script Writes(this Script script, Place place, byte[] bytes) => script.Does(place, play => play.WriteAsync(bytes));

    /// <summary>A comment line before every piece, as keep-alives do.</summary>
    public static Script WithKeepAlives(this Script script, string comment = ": keep-alive\n\n") => script.Rewrite(steps => steps.SelectMany(step =>
        step.Kind is StepKind.Piece or StepKind.Opening ? [new Step(StepKind.Other, play => play.WriteAsync(Encoding.UTF8.GetBytes(comment))), step] : (Step[])[step]));

    private static Script Without(this Script script, StepKind kind) => script.Rewrite(steps => steps.Where(step => step.Kind != kind));
}
