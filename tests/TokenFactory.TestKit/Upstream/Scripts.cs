using System.Reflection;
using TokenFactory.TestKit.Upstream.Anthropic;
using TokenFactory.TestKit.Upstream.Responses;

namespace TokenFactory.TestKit.Upstream;

/// <summary>The catalogue of what backends really do. Streams answer a request that asked for a stream, answers one that
/// did not; what an honest gateway makes of each is for its tests to say.</summary>
public static class Scripts
{
    public static IReadOnlyList<Script> Streams { get; } = Of(typeof(StreamScripts));

    public static IReadOnlyList<Script> Answers { get; } = Of(typeof(AnswerScripts));

    /// <summary>The same of the Messages dialect.</summary>
    public static IReadOnlyList<Script> MessageStreams { get; } = Of(typeof(MessageStreamScripts));

    public static IReadOnlyList<Script> MessageAnswers { get; } = Of(typeof(MessageAnswerScripts));

    /// <summary>The same of OpenAI's Responses.</summary>
    public static IReadOnlyList<Script> ResponseStreams { get; } = Of(typeof(ResponseStreamScripts));

    public static IReadOnlyList<Script> ResponseAnswers { get; } = Of(typeof(ResponseAnswerScripts));

    public static IReadOnlyList<Script> All { get; } = [.. Streams, .. Answers, .. MessageStreams, .. MessageAnswers, .. ResponseStreams, .. ResponseAnswers];

    /// <summary>By name, for a theory whose rows are names.</summary>
    public static Script Get(string name) => All.Single(script => script.Name == name);

    private static List<Script> Of(Type catalogue) => [.. catalogue
        .GetProperties(BindingFlags.Public | BindingFlags.Static)
        .Where(property => property.PropertyType == typeof(Script))
        .Select(property => (Script)property.GetValue(null)!)];
}
