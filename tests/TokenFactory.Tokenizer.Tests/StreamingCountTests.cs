using FsCheck;
using FsCheck.Fluent;

namespace TokenFactory.Tokenizer.Tests;

public sealed class StreamingCountTests
{
    public static TheoryData<string> Encodings => Some.Encodings;

    [Theory, MemberData(nameof(Encodings))]
    public void A_text_cut_anywhere_counts_like_the_whole_text(string name)
    {
        var encoding = TokenEncoding.ForEncoding(name)!;
        var seeds = Gen.Choose(0, int.MaxValue).ToArbitrary();
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(2000),
            Prop.ForAll(Some.Bytes, seeds, (bytes, seed) => Streamed(encoding, bytes, new Random(seed)) == encoding.Count(bytes)));
    }

    [Theory, MemberData(nameof(Encodings))]
    public void A_decided_part_stays_as_it_is_whatever_follows(string name)
    {
        var encoding = TokenEncoding.ForEncoding(name)!;
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(5000),
            Prop.ForAll(Some.Bytes, Gen.Choose(0, int.MaxValue).ToArbitrary(), (text, seed) =>
            {
                var soFar = text.AsSpan(0, seed % (text.Length + 1));
                var decided = encoding.Encode(soFar, isWhole: false, new TokenCount(), out var count).Bytes;
                return count.Value + encoding.Count(text.AsSpan(decided)) == encoding.Count(text);
            }));
    }

    [Theory, MemberData(nameof(Encodings))]
    public void All_reference_texts_in_one_stream_count_like_the_whole(string name)
    {
        var encoding = TokenEncoding.ForEncoding(name)!;
        var text = Vectors.All.SelectMany(vector => vector.Text).ToArray();
        Assert.Equal(encoding.Count(text), Streamed(encoding, text, new Random(1)));
    }

    [Fact]
    public void A_total_may_be_asked_for_at_any_time()
    {
        using var count = new StreamingCount(TokenEncoding.O200kBase);
        Assert.Equal(0, count.Total);
        count.Add("tok"u8);
        Assert.Equal(TokenEncoding.O200kBase.Count("tok"u8), count.Total);
        count.Add("en"u8);
        Assert.Equal(1, count.Total);
    }

    [Fact]
    public void An_endless_run_is_held_up_to_the_limit_and_counted_within_a_few_tokens()
    {
        using var count = new StreamingCount(TokenEncoding.O200kBase);
        var text = Some.Run("a", 1 << 18);
        for (var at = 0; at < text.Length; at += 1000)
        {
            count.Add(text.AsSpan(at..Math.Min(at + 1000, text.Length)));
            Assert.InRange(count.HeldBytes, 0, StreamingCount.HeldBytesLimit);
        }

        var folds = text.Length / StreamingCount.HeldBytesLimit;
        Assert.InRange(count.Total - TokenEncoding.O200kBase.Count(text), 0, 2 * folds);
    }

    [Fact]
    public void A_limit_inside_a_character_does_not_cut_the_character()
    {
        using var count = new StreamingCount(TokenEncoding.O200kBase);
        var text = System.Text.Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("字", 6000)));
        count.Add(text);
        Assert.InRange(count.Total - TokenEncoding.O200kBase.Count(text), 0, 2);
    }

    private static int Streamed(TokenEncoding encoding, ReadOnlySpan<byte> text, Random random)
    {
        using var count = new StreamingCount(encoding);
        while (!text.IsEmpty)
        {
            var length = random.Next(1, Math.Min(text.Length, 12) + 1);
            count.Add(text[..length]);
            text = text[length..];
        }

        return count.Total;
    }
}
