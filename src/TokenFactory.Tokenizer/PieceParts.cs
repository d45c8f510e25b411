namespace TokenFactory.Tokenizer;

/// <summary>The alternatives that both published patterns share.</summary>
internal static class PieceParts
{
    /// <summary><c>\p{N}{1,3}</c>, the first number character being known.</summary>
    internal static int Numbers(ref Utf8Text text, int second)
    {
        var at = second;
        for (var more = 0; more < 2 && (text.KindAt(at, out var length) & CharacterKind.Number) != 0; more++)
        {
            at += length;
        }

        return at;
    }

    /// <summary><c>(?i:'s|'t|'re|'ve|'m|'ll|'d)</c>, or the start itself when there is none here.</summary>
    internal static int Contraction(ref Utf8Text text, int start)
    {
        if (text.ByteAt(start) != '\'')
        {
            return start;
        }

        switch (Folded(text.ByteAt(start + 1)))
        {
            case 's' or 't' or 'm' or 'd':
                return start + 2;
            case 'r' or 'v':
                return Folded(text.ByteAt(start + 2)) == 'e' ? start + 3 : start;
            case 'l':
                return Folded(text.ByteAt(start + 2)) == 'l' ? start + 3 : start;
            case 0xC5 | 0x20:
                // U+017F, the long s (C5 BF), is an s to a case-insensitive match.
                return text.ByteAt(start + 1) == 0xC5 && text.ByteAt(start + 2) == 0xBF ? start + 3 : start;
            default:
                return start;
        }
    }

    /// <summary><c>\s*[\r\n]+|\s+(?!\S)|\s+</c>: up to the last newline of the run if it has one; else all of a run that
    /// ends the text; else all but its last character, which belongs to what follows; else that one character.</summary>
    internal static int Space(ref Utf8Text text, int start)
    {
        var at = start;
        var last = start;
        var afterNewline = start;
        CharacterKind kind;
        while (((kind = text.KindAt(at, out var length)) & CharacterKind.Space) != 0)
        {
            last = at;
            at += length;
            if (kind == CharacterKind.Newline)
            {
                afterNewline = at;
            }
        }

        if (afterNewline > start)
        {
            return afterNewline;
        }

        return kind == CharacterKind.None || last == start ? at : last;
    }

    private static int Folded(int ascii) => ascii | 0x20;
}
