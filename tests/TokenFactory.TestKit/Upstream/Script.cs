using System.Runtime.CompilerServices;
using System.Text;
using TokenFactory.TestKit.Upstream.Anthropic;
using TokenFactory.TestKit.Upstream.Steps;

namespace TokenFactory.TestKit.Upstream;

/// <summary>What the upstream does with one request, composed from a beginning (<see cref="Stream"/>, <see cref="Answer"/>,
/// <c>Body</c>, <see cref="Bytes"/>), shapes and endings. Immutable: one script may serve any number of requests at once.</summary>
public sealed record Script
{
    private Script(Func<Play, IEnumerable<Step>> steps) => Steps = steps;

    public string Name { get; init; } = "unnamed";

    public ChunkStyle Style { get; init; } = new();

    /// <summary>It does what Kestrel would not let it do, so it plays on the bare socket.</summary>
    internal bool BreaksHttp { get; init; }

    internal Func<Play, IEnumerable<Step>> Steps { get; init; }

    /// <summary>A faithful stream of these pieces; without pieces, of the upstream's own answer to the request.</summary>
    public static Script Stream(params string[] pieces) => new(play => StreamSteps.Of(play, pieces));

    /// <summary>A faithful answer in one body; without text, the upstream's own answer to the request.</summary>
    public static Script Answer(string? text = null) => new(play => AnswerSteps.Of(play, text));

    /// <summary>A stream to who asked for one, else a whole body: what a healthy backend does.</summary>
    public static Script Honest { get; } = new Script(play =>
        play.Ask.Operation == UpstreamOperation.Embeddings ? AnswerSteps.OfEmbeddings(play)
        : play.Ask.Operation == UpstreamOperation.Moderations ? AnswerSteps.OfModerations(play)
        : play.Ask.Operation == UpstreamOperation.CountTokens ? MessageSteps.Count(play)
        : play.Ask.Stream ? StreamSteps.Of(play, [])
        : AnswerSteps.Of(play, null)).Named("honest");

    public static Script Json(int status, string json, params (string Name, string Value)[] headers) => Body(status, "application/json", json, headers);

    public static Script Body(int status, string contentType, string body, params (string Name, string Value)[] headers)
        => Body(status, contentType, Encoding.UTF8.GetBytes(body), headers);

    public static Script Body(int status, string contentType, byte[] body, params (string Name, string Value)[] headers)
        => new(_ => AnswerSteps.OfBytes(status, contentType, body, headers));

    /// <summary>A status without a body.</summary>
    public static Script Status(int status, params (string Name, string Value)[] headers) => new(_ =>
    [
        new Step(StepKind.Head, play => play.HeadAsync(status, AnswerSteps.Pairs(headers))),
        new Step(StepKind.Ending, _ => ValueTask.CompletedTask),
    ]);

    /// <summary>An event stream of exactly these events, each a line of data, [DONE] included if it is meant.</summary>
    public static Script Frames(params string[] frames) => new(_ =>
    [
        StreamSteps.Head,
        .. frames.Select(frame => new Step(StepKind.Piece, play => play.FrameAsync(frame))),
        new Step(StepKind.Ending, play => play.EndAsync()),
    ]);

    /// <summary>Exactly these bytes on the connection, no HTTP added.</summary>
    public static Script Bytes(byte[] raw) => new(_ =>
    [
        new Step(StepKind.Other, play => play.WriteAsync(raw)),
        new Step(StepKind.Ending, play => play.EndAsync()),
    ])
    {
        BreaksHttp = true,
    };

    /// <summary>Named after the property or method that made it.</summary>
    public Script Named([CallerMemberName] string name = "") => this with { Name = name };

    internal static Script Of(Func<Play, IEnumerable<Step>> steps) => new(steps);

    internal Script Rewrite(Func<List<Step>, IEnumerable<Step>> rewrite)
    {
        var steps = Steps;
        return this with { Steps = play => rewrite([.. steps(play)]) };
    }

    /// <summary>A step of the test's own at that place.</summary>
    public Script Does(Place place, Func<Play, ValueTask> step) => Rewrite(steps =>
    {
        steps.Insert(place.In(steps), new Step(StepKind.Other, step));
        return steps;
    });

    public override string ToString() => Name;
}
