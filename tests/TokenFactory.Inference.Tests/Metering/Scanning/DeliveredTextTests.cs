using System.Text;
using TokenFactory.Inference.Metering.Scanning;
using Xunit;

namespace TokenFactory.Inference.Tests.Metering.Scanning;

public sealed class DeliveredTextTests
{
    [Fact]
    public void P3_what_is_counted_is_the_text_not_its_escapes()
    {
        var counted = Counted(text => text.Append(0, """a\"b\\c\/\n\u00e9\ud83d\ude00\ud83d 世"""u8));

        Assert.Equal("a\"b\\c/\né😀\uFFFD 世", Assert.Single(counted));
    }

    [Fact]
    public void P3_choices_that_interleave_are_counted_apart()
    {
        var counted = Counted(text =>
        {
            text.Append(0, "Hel"u8);
            text.Append(1, "Bon"u8);
            text.Append(0, "lo"u8);
            text.Append(1, "jour"u8);
        });

        Assert.Equal(["Hello", "Bonjour"], counted);
    }

    [Fact]
    public void P3_counting_twice_counts_once()
    {
        using var text = new DeliveredText(static utf8 => utf8.Length);
        text.Append(0, "abc"u8);
        text.Append(1, "de"u8);

        Assert.Equal(5, text.Count());
        Assert.Equal(5, text.Count());
        text.Append(0, "f"u8);
        Assert.Equal(6, text.Count());
    }

    [Fact]
    public void P10_long_text_is_folded_in_bounded_pieces_that_start_at_a_space()
    {
        var counted = Counted(text =>
        {
            for (var word = 0; word < 20_000; word++)
            {
                text.Append(0, " wörd"u8);
            }
        });

        Assert.Equal(string.Concat(Enumerable.Repeat(" wörd", 20_000)), string.Concat(counted));
        Assert.All(counted, piece => Assert.StartsWith(" wörd", piece, StringComparison.Ordinal));
        Assert.All(counted, piece => Assert.InRange(piece.Length, 1, 16 * 1024));
    }

    [Theory]
    [InlineData("\\u00e9", "é")]
    [InlineData("世", "世")]
    [InlineData("\\\\", "\\")]
    [InlineData("x", "x")]
    public void P10_one_text_larger_than_the_buffer_is_cut_between_characters(string raw, string plain)
    {
        var counted = Counted(text => text.Append(0, Encoding.UTF8.GetBytes("a" + string.Concat(Enumerable.Repeat(raw, 30_000)))));

        Assert.Equal("a" + string.Concat(Enumerable.Repeat(plain, 30_000)), string.Concat(counted));
        Assert.All(counted, piece => Assert.InRange(Encoding.UTF8.GetByteCount(piece), 1, 16 * 1024));
    }

    [Fact]
    public void P10_many_choices_in_turns_stay_bounded()
    {
        var counted = Counted(text =>
        {
            for (var at = 0; at < 10_000; at++)
            {
                text.Append(at % 3, [(byte)('a' + (at % 3))]);
            }
        });

        Assert.Equal(10_000, counted.Sum(piece => piece.Length));
        Assert.All(counted, piece => Assert.Single(piece.Distinct()));
    }

    private static List<string> Counted(Action<DeliveredText> append)
    {
        var pieces = new List<string>();
        using var text = new DeliveredText(utf8 =>
        {
            pieces.Add(Encoding.UTF8.GetString(utf8));
            return 1;
        });
        append(text);
        Assert.Equal(text.Count(), pieces.Count);
        return pieces;
    }
}
