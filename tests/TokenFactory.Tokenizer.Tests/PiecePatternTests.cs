using System.Text;
using System.Text.Json;

namespace TokenFactory.Tokenizer.Tests;

public sealed class PiecePatternTests
{
    [Fact]
    public void O200k_text_is_cut_where_the_published_pattern_cuts_it() => Cuts_like_the_published_pattern<O200kPattern>("o200k_base_pieces");

    [Fact]
    public void Cl100k_text_is_cut_where_the_published_pattern_cuts_it() => Cuts_like_the_published_pattern<Cl100kPattern>("cl100k_base_pieces");

    private static void Cuts_like_the_published_pattern<TPattern>(string key)
        where TPattern : IPiecePattern
    {
        Assert.All(Vectors.Lines("patterns.jsonl"), line =>
        {
            using var document = JsonDocument.Parse(line);
            var expected = document.RootElement.GetProperty(key).EnumerateArray().Select(piece => piece.GetString()!);
            Assert.Equal(expected, Pieces<TPattern>(document.RootElement.GetProperty("text").GetString()!));
        });
    }

    private static List<string> Pieces<TPattern>(string text)
        where TPattern : IPiecePattern
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var scanned = new Utf8Text(bytes);
        var pieces = new List<string>();
        for (var start = 0; start < bytes.Length;)
        {
            var end = TPattern.End(ref scanned, start);
            pieces.Add(Encoding.UTF8.GetString(bytes.AsSpan(start..end)));
            start = end;
        }

        return pieces;
    }
}
