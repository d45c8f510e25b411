using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using TokenFactory.Inference.Intake;
using Xunit;

namespace TokenFactory.Inference.Tests.Intake;

/// <summary>Whatever the body, the stepping reader meets the tokens the plain one meets, at the same places, and refuses what it refuses.</summary>
public sealed class BodyJsonTests
{
    private static readonly string[] _pieces =
    [
        "{", "}", "[", "]", ",", ":", " ", "\n", "\"", "\\", "\\u12", "\u0001", "1", "-0.5e3", "true", "null", "\"a\"", "\"a\":", "\"\\n\"",
        Quoted(new string('x', 127)), Quoted(new string('x', 128)), Quoted(new string('x', 129)), Quoted(new string('x', 300) + "\\n" + new string('y', 300)),
        Quoted("\\n\\\"" + new string('x', 200)), Quoted(new string('x', 200) + "\\u00e9é\\\\"), Quoted(new string('x', 200) + "\\ud800") + ":",
        Quoted(new string('x', 200)) + " :", Quoted(new string('x', 200) + "\\x"), Quoted(new string('x', 200) + "\t"), "\"" + new string('x', 200) + "\\",
        "\"" + new string('x', 200) + "\\u12\"", "{\"content\":" + Quoted(new string('x', 150)) + "}", "[" + Quoted(new string('x', 150)) + " , " + Quoted("\\\"" + new string('x', 150)) + "]",
    ];

    [Fact]
    public void Any_text_reads_as_the_plain_reader_reads_it()
    {
        var bodies = Gen.Elements(_pieces).ListOf().Select(string.Concat);
        var wrapped = bodies.Select(inner => "{\"model\":\"m\",\"messages\":[" + inner + "],\"n\":1}");
        var property = Prop.ForAll(Gen.OneOf(bodies, wrapped).ToArbitrary(), Same);

        Check.One(Config.QuickThrowOnFailure.WithMaxTest(5000), property);
    }

    [Fact]
    public void Well_formed_bodies_with_long_strings_everywhere_read_the_same()
    {
        var text = Gen.Elements("plain ", "\"", "\\", "\n", "é", "😀", new string('z', 90)).ListOf().Select(string.Concat);
        var leaf = text.Select(t => (object)t);
        var value = Gen.OneOf(leaf, text.ListOf().Select(list => (object)list), Gen.Zip(text, text).ListOf().Select(members => (object)members.DistinctBy(m => m.Item1).ToDictionary(m => m.Item1, m => m.Item2)));
        var property = Prop.ForAll(value.ListOf().ToArbitrary(), list => Same(JsonSerializer.Serialize(list)));

        Check.One(Config.QuickThrowOnFailure.WithMaxTest(1000), property);
    }

    [Fact]
    public void A_refusal_names_the_true_place_after_a_long_string()
    {
        var body = Encoding.UTF8.GetBytes("{\"a\":" + Quoted(new string('x', 500) + "\\n") + ",\n  oops}");
        var json = new BodyJson(body, default);
        JsonException? exact = null;
        try
        {
            while (json.Read())
            {
            }
        }
        catch (JsonException refusal)
        {
            exact = json.Explain(refusal);
        }

        Assert.Equal((1, 2), (exact!.LineNumber, exact.BytePositionInLine));
    }

    private static bool Same(string text)
    {
        var body = Encoding.UTF8.GetBytes(text);
        return Plain(body).SequenceEqual(Stepping(body));
    }

    private static List<string> Plain(byte[] body)
    {
        var json = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = 4 });
        var tokens = new List<string>();
        try
        {
            while (json.Read())
            {
                tokens.Add($"{json.TokenType} {json.CurrentDepth} {json.TokenStartIndex} {json.ValueSpan.Length}");
                if (json.TokenType == JsonTokenType.String)
                {
                    tokens.Add(json.GetString()!);
                }
            }
        }
        catch (Exception refusal) when (refusal is JsonException or InvalidOperationException)
        {
            // Half a surrogate pair is well-formed JSON without a text: both readers throw the second when asked for it.
            tokens.Add(refusal.GetType().Name);
        }

        return tokens;
    }

    private static List<string> Stepping(byte[] body)
    {
        var json = new BodyJson(body, new JsonReaderOptions { MaxDepth = 4 });
        var tokens = new List<string>();
        try
        {
            while (json.Read())
            {
                tokens.Add($"{json.TokenType} {json.CurrentDepth} {json.Token.Start} {json.ValueBytes}");
                if (json.TokenType == JsonTokenType.String)
                {
                    tokens.Add(json.GetString()!);
                }
            }
        }
        catch (Exception refusal) when (refusal is JsonException or InvalidOperationException)
        {
            // Half a surrogate pair is well-formed JSON without a text: both readers throw the second when asked for it.
            tokens.Add(refusal.GetType().Name);
        }

        return tokens;
    }

    private static string Quoted(string text) => $"\"{text}\"";
}
