namespace TokenFactory.Tokenizer;

/// <summary>cl100k_base: <c>(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+</c></summary>
internal sealed class Cl100kPattern : IPiecePattern
{
    public static int End(ref Utf8Text text, int start)
    {
        var kind = text.KindAt(start, out var length);
        var second = start + length;
        if ((kind & CharacterKind.Letter) != 0)
        {
            return text.Skip(second, CharacterKind.Letter);
        }

        if (kind == CharacterKind.Number)
        {
            return PieceParts.Numbers(ref text, second);
        }

        if (PieceParts.Contraction(ref text, start) is var contraction && contraction > start)
        {
            return contraction;
        }

        if ((kind & CharacterKind.Prefix) != 0)
        {
            var next = text.KindAt(second, out length);
            if ((next & CharacterKind.Letter) != 0)
            {
                return text.Skip(second + length, CharacterKind.Letter);
            }

            if ((kind & CharacterKind.Symbol) != 0 || ((next & CharacterKind.Symbol) != 0 && text.ByteAt(start) == ' '))
            {
                return text.Skip(text.Skip(second, CharacterKind.Symbol), CharacterKind.Newline);
            }
        }

        return PieceParts.Space(ref text, start);
    }
}
