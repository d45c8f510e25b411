using System.Globalization;

namespace TokenFactory.Tokenizer;

/// <summary>What the published patterns tell characters apart by, as bits, so that a character class is one mask.
/// Nothing (<see cref="None"/>) stands for the end of the text: no mask matches it.</summary>
[Flags]
internal enum CharacterKind : byte
{
    None = 0,
    Upper = 1,
    Lower = 2,
    Uncased = 4,
    Mark = 8,
    Number = 16,
    Blank = 32,
    Newline = 64,
    Other = 128,

    Letter = Upper | Lower | Uncased,
    Space = Blank | Newline,

    /// <summary><c>[^\s\p{L}\p{N}]</c></summary>
    Symbol = Mark | Other,

    /// <summary><c>[^\r\n\p{L}\p{N}]</c>, what one character before a word may be.</summary>
    Prefix = Blank | Mark | Other,
}

internal static class CharacterKinds
{
    private static readonly CharacterKind[] _ofCategory = CategoryTable();

    /// <summary>By byte; bytes above 127 are <see cref="CharacterKind.None"/> and need decoding.</summary>
    internal static readonly CharacterKind[] Ascii = AsciiTable();

    internal static CharacterKind Of(int codePoint)
    {
        // \s is the White_Space property: separators, plus a few controls that Unicode lists by name.
        return codePoint switch
        {
            '\r' or '\n' => CharacterKind.Newline,
            '\t' or '\v' or '\f' or 0x85 => CharacterKind.Blank,
            _ => _ofCategory[(int)CharUnicodeInfo.GetUnicodeCategory(codePoint)],
        };
    }

    private static CharacterKind[] AsciiTable()
    {
        var table = new CharacterKind[256];
        for (var code = 0; code < 128; code++)
        {
            table[code] = Of(code);
        }

        return table;
    }

    private static CharacterKind[] CategoryTable()
    {
        var table = new CharacterKind[(int)UnicodeCategory.OtherNotAssigned + 1];
        Array.Fill(table, CharacterKind.Other);
        table[(int)UnicodeCategory.UppercaseLetter] = CharacterKind.Upper;
        table[(int)UnicodeCategory.TitlecaseLetter] = CharacterKind.Upper;
        table[(int)UnicodeCategory.LowercaseLetter] = CharacterKind.Lower;
        table[(int)UnicodeCategory.ModifierLetter] = CharacterKind.Uncased;
        table[(int)UnicodeCategory.OtherLetter] = CharacterKind.Uncased;
        table[(int)UnicodeCategory.NonSpacingMark] = CharacterKind.Mark;
        table[(int)UnicodeCategory.SpacingCombiningMark] = CharacterKind.Mark;
        table[(int)UnicodeCategory.EnclosingMark] = CharacterKind.Mark;
        table[(int)UnicodeCategory.DecimalDigitNumber] = CharacterKind.Number;
        table[(int)UnicodeCategory.LetterNumber] = CharacterKind.Number;
        table[(int)UnicodeCategory.OtherNumber] = CharacterKind.Number;
        table[(int)UnicodeCategory.SpaceSeparator] = CharacterKind.Blank;
        table[(int)UnicodeCategory.LineSeparator] = CharacterKind.Blank;
        table[(int)UnicodeCategory.ParagraphSeparator] = CharacterKind.Blank;
        return table;
    }
}
