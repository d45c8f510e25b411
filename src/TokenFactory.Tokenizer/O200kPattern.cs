namespace TokenFactory.Tokenizer;

/// <summary>o200k_base, with U = <c>[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]</c>, L = <c>[\p{Ll}\p{Lm}\p{Lo}\p{M}]</c> and C the
/// contractions of cl100k_base:
/// <c>[^\r\n\p{L}\p{N}]?U*L+C?|[^\r\n\p{L}\p{N}]?U+L*C?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+</c></summary>
internal sealed class O200kPattern : IPiecePattern
{
    private const CharacterKind Caseless = CharacterKind.Uncased | CharacterKind.Mark;
    private const CharacterKind Heads = CharacterKind.Upper | Caseless;
    private const CharacterKind Tails = CharacterKind.Lower | Caseless;

    public static int End(ref Utf8Text text, int start)
    {
        var kind = text.KindAt(start, out var length);
        var second = start + length;
        if ((kind & CharacterKind.Letter) != 0)
        {
            return Word(ref text, start);
        }

        if (kind == CharacterKind.Number)
        {
            return PieceParts.Numbers(ref text, second);
        }

        if ((kind & CharacterKind.Prefix) != 0)
        {
            var next = text.KindAt(second, out _);
            if ((next & (CharacterKind.Letter | CharacterKind.Mark)) != 0)
            {
                return kind == CharacterKind.Mark ? WordAfterMark(ref text, start, second) : Word(ref text, second);
            }

            if (kind == CharacterKind.Mark)
            {
                return PieceParts.Contraction(ref text, second);
            }

            if (kind == CharacterKind.Other || ((next & CharacterKind.Symbol) != 0 && text.ByteAt(start) == ' '))
            {
                return Symbols(ref text, second);
            }
        }

        return PieceParts.Space(ref text, start);
    }

    /// <summary><c>U*L+C?|U+L*C?</c> where a letter or a mark is known to stand.</summary>
    private static int Word(ref Utf8Text text, int start)
    {
        var heads = Head(ref text, start, out var afterCaseless);
        if ((text.KindAt(heads, out _) & CharacterKind.Lower) != 0)
        {
            return PieceParts.Contraction(ref text, text.Skip(heads, Tails));
        }

        // No lower-case letter follows, so U* gives back down to the last character that L takes too; the first
        // alternative wins even when it is the shorter one. Without such a character the second takes all.
        return PieceParts.Contraction(ref text, afterCaseless > start ? afterCaseless : heads);
    }

    /// <summary>A mark may be the prefix, but where the first alternative fails with it as such, it is tried as a word
    /// of its own before the second alternative is tried at all.</summary>
    private static int WordAfterMark(ref Utf8Text text, int start, int second)
    {
        var heads = Head(ref text, second, out var afterCaseless);
        var fails = afterCaseless == second && (text.KindAt(heads, out _) & CharacterKind.Lower) == 0;
        return fails ? second : Word(ref text, start);
    }

    /// <summary>The run of U, and where its last character that is also of L ends (the start when there is none).</summary>
    private static int Head(ref Utf8Text text, int start, out int afterCaseless)
    {
        var at = text.Skip(start, CharacterKind.Upper);
        afterCaseless = start;
        CharacterKind kind;
        while (((kind = text.KindAt(at, out var length)) & Heads) != 0)
        {
            at += length;
            if (kind != CharacterKind.Upper)
            {
                afterCaseless = at;
            }
        }

        return at;
    }

    /// <summary><c>[^\s\p{L}\p{N}]+[\r\n/]*</c> after its first character.</summary>
    private static int Symbols(ref Utf8Text text, int second)
    {
        var at = text.Skip(second, CharacterKind.Symbol);
        while (text.ByteAt(at) is '\r' or '\n' or '/')
        {
            at++;
        }

        return at;
    }
}
