using System.Buffers;
using FsCheck;
using FsCheck.Fluent;

namespace TokenFactory.Tokenizer.Tests;

public sealed class LongPieceTests
{
    private static readonly Arbitrary<byte[]> _letters =
        Gen.Choose(0, 4).SelectMany(spread => Gen.Choose('a', 'a' + (spread * 6)).Select(letter => (byte)letter).ArrayOf(3000)).ToArbitrary();

    public static TheoryData<string> Encodings => Some.Encodings;

    [Theory]
    [InlineData("a")]
    [InlineData(" ")]
    [InlineData("\n")]
    [InlineData("!")]
    [InlineData("ab")]
    [InlineData("qxzjv")]
    [InlineData("\r\n")]
    [InlineData("' ")]
    [InlineData("Aa")]
    public void Twice_the_text_is_at_most_a_little_more_than_twice_the_work(string unit)
    {
        foreach (var encoding in TokenEncoding.All)
        {
            var half = Work(encoding, Some.Run(unit, 1 << 16));
            var whole = Work(encoding, Some.Run(unit, 1 << 17));
            Assert.InRange(whole, 0, (half * 2.1) + 1000);
        }
    }

    [Theory]
    [InlineData("a")]
    [InlineData(" ")]
    public void A_megabyte_of_one_character_costs_a_few_dozen_steps_a_byte(string unit)
    {
        Assert.InRange(Work(TokenEncoding.O200kBase, Some.Run(unit, 1 << 20)), 1 << 20, 40L << 20);
    }

    [Theory, MemberData(nameof(Encodings))]
    public void Windows_give_what_merging_the_whole_gives(string name)
    {
        var vocabulary = TokenEncoding.ForEncoding(name)!.Vocabulary;
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(300),
            Prop.ForAll(_letters, letters => Merged(vocabulary, letters, 192).SequenceEqual(Merged(vocabulary, letters, letters.Length))));
    }

    [Theory, MemberData(nameof(Encodings))]
    public void Long_and_short_merging_agree(string name)
    {
        var encoding = TokenEncoding.ForEncoding(name)!;
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(300),
            Prop.ForAll(_letters, letters =>
            {
                var word = letters[..(letters[0] % PieceEncoder<TokenCount>.ShortBytes + 1)];
                var whole = encoding.Vocabulary.Find(word);
                return whole != Vocabulary.None || Merged(encoding.Vocabulary, word, word.Length).SequenceEqual(Some.Ids(encoding, word));
            }));
    }

    private static int[] Merged(Vocabulary vocabulary, byte[] piece, int windowBytes)
    {
        var ids = new ArrayBufferWriter<int>();
        var sink = new TokenIds(ids);
        LongPiece.Encode(vocabulary, piece, ref sink, windowBytes);
        return ids.WrittenSpan.ToArray();
    }

    private static long Work(TokenEncoding encoding, byte[] text) =>
        encoding.Encode(text, isWhole: true, new TokenCount(), out _).PairsSeen;
}
