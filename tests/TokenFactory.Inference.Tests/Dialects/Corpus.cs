using System.Text;
using TokenFactory.Inference.Dialects;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.Tests.Architecture;
using Xunit;

namespace TokenFactory.Inference.Tests.Dialects;

/// <summary>
/// What goes in and must come out of every converter, as files: <c>NAME.in.*</c> and <c>NAME.out.*</c> below the direction's folder. With
/// UPDATE_CORPUS=1 the outputs are written anew, to be read by whoever commits them.
/// </summary>
internal static class Corpus
{
    private static readonly string _root = Path.Combine(WallTests.FindHouse(), "tests", "TokenFactory.Inference.Tests", "Dialects", "Corpus");

    /// <param name="kind">request, answer or stream.</param>
    public static TheoryData<string, string> Of(string kind)
    {
        var cases = new TheoryData<string, string>();
        foreach (var direction in (string[])["openai-to-anthropic", "anthropic-to-openai", "responses-to-openai", "responses-to-anthropic"])
        {
            foreach (var file in Directory.EnumerateFiles(Path.Combine(_root, direction, kind), "*.in.*").Order(StringComparer.Ordinal))
            {
                cases.Add(direction, Path.GetFileName(file).Split('.')[0]);
            }
        }

        return cases;
    }

    public static Conversion Conversion(string direction) =>
        Inference.Dialects.Conversion.Between(Client(direction), Backend(direction))!;

    public static Dialect Client(string direction) => direction.Split('-')[0] switch
    {
        "openai" => Dialect.OpenAi,
        "anthropic" => Dialect.Anthropic,
        _ => Dialect.Responses,
    };

    public static Dialect Backend(string direction) => direction.EndsWith("-anthropic", StringComparison.Ordinal) ? Dialect.Anthropic : Dialect.OpenAi;

    public static byte[] Input(string direction, string kind, string name) =>
        File.ReadAllBytes(Path.Combine(_root, direction, kind, $"{name}.in.{Extension(kind)}"));

    public static void Expect(string direction, string kind, string name, string actual)
    {
        var path = Path.Combine(_root, direction, kind, $"{name}.out.{Extension(kind)}");
        if (Environment.GetEnvironmentVariable("UPDATE_CORPUS") == "1")
        {
            File.WriteAllText(path, actual);
        }

        Assert.Equal(File.ReadAllText(path), actual);
    }

    /// <summary>What a converter makes of a stream that comes in given pieces.</summary>
    public static string Convert(string direction, ReadOnlySpan<byte> stream, IEnumerable<int> cuts)
    {
        using var converter = Conversion(direction).Answer(isEventStream: true, TimeProvider.System, new BodyBudget(long.MaxValue));
        using var made = new MemoryStream();
        var from = 0;
        foreach (var cut in cuts.Append(stream.Length))
        {
            made.Write(converter.Feed(stream[from..cut]).Span);
            from = cut;
        }

        made.Write(converter.Complete().Span);
        return Encoding.UTF8.GetString(made.ToArray());
    }

    private static string Extension(string kind) => kind == "stream" ? "sse" : "json";
}
