using System.Buffers;
using System.Text;
using FsCheck;
using FsCheck.Fluent;

namespace TokenFactory.Tokenizer.Tests;

/// <summary>Texts and bytes to try, and the shortest way to encode them.</summary>
internal static class Some
{
    private static readonly string[] _fragments =
    [
        "a", "b", "ab", "A", "Z", "the", " the", "token", "IZATION", "ſ", "İ", "ǅ", "ª", "字", "関率", "ー", "п", "Я", "\u0301", "\u093f", "ʰ",
        "'", "'s", "'LL", "'ſ", "'r", "'re", "1", "23", "4567", "½", "Ⅷ", " ", "  ", "\t", "\n", "\r\n", "\r", "\v", "\u00a0", "\u0085", "\u2028",
        "\u3000", "!", "...", "/", "//", "\n/", "{}", "<|endoftext|>", "😀", "👩‍💻", "\u200d", "\0", "=", "\"", "-", "_",
    ];

    internal static TheoryData<string> Encodings => [.. TokenEncoding.All.Select(encoding => encoding.Name)];

    /// <summary>Valid text of fragments that meet in every way the patterns care about.</summary>
    internal static Arbitrary<byte[]> Text { get; } =
        Gen.Elements(_fragments).ListOf().Select(parts => Encoding.UTF8.GetBytes(string.Concat(parts))).ToArbitrary();

    /// <summary>The same with stray bytes between them.</summary>
    internal static Arbitrary<byte[]> Bytes { get; } =
        Gen.OneOf(Gen.Elements(_fragments).Select(Encoding.UTF8.GetBytes), Gen.Choose(0, 255).Select(value => new[] { (byte)value }))
            .ListOf().Select(parts => parts.SelectMany(part => part).ToArray()).ToArbitrary();

    internal static int[] Ids(TokenEncoding encoding, ReadOnlySpan<byte> text)
    {
        var ids = new ArrayBufferWriter<int>();
        Assert.Equal(encoding.Encode(text, ids), ids.WrittenCount);
        return ids.WrittenSpan.ToArray();
    }

    internal static byte[] Decoded(TokenEncoding encoding, IEnumerable<int> ids) =>
        [.. ids.SelectMany(id => encoding.Vocabulary.BytesOf(id).ToArray())];

    internal static byte[] Run(string unit, int bytes)
    {
        var text = new byte[bytes];
        for (var at = 0; at < bytes; at++)
        {
            text[at] = (byte)unit[at % unit.Length];
        }

        return text;
    }
}
