using System.Buffers;
using System.Text;

namespace TokenFactory.Tokenizer;

/// <summary>UTF-8 bytes read as characters, without decoding what a byte already tells. Each maximal invalid sequence is
/// one character of kind Other, so malformed text is split somewhere and encoded byte for byte, never refused.</summary>
internal ref struct Utf8Text(ReadOnlySpan<byte> bytes)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;

    /// <summary>Whether anything asked so far depended on where the text ends: more text might change that answer.</summary>
    internal bool TouchedEnd { get; private set; }

    internal readonly int Length => _bytes.Length;

    /// <summary>How many of the bytes are left when a character that the end cuts through is left out.</summary>
    internal static int WholeCharacters(ReadOnlySpan<byte> bytes)
    {
        for (var tail = 1; tail <= Math.Min(3, bytes.Length); tail++)
        {
            if (bytes[^tail] >= 0xC0)
            {
                var cut = Rune.DecodeFromUtf8(bytes[^tail..], out _, out _) == OperationStatus.NeedMoreData;
                return cut ? bytes.Length - tail : bytes.Length;
            }
        }

        return bytes.Length;
    }

    /// <summary>The byte at a place, or -1 past the end.</summary>
    internal int ByteAt(int at)
    {
        if ((uint)at < (uint)_bytes.Length)
        {
            return _bytes[at];
        }

        TouchedEnd = true;
        return -1;
    }

    internal CharacterKind KindAt(int at, out int length)
    {
        if ((uint)at < (uint)_bytes.Length)
        {
            var kind = CharacterKinds.Ascii[_bytes[at]];
            if (kind != CharacterKind.None)
            {
                length = 1;
                return kind;
            }

            return Decode(at, out length);
        }

        TouchedEnd = true;
        length = 0;
        return CharacterKind.None;
    }

    /// <summary>The first place from here on whose character is not of these kinds.</summary>
    internal int Skip(int at, CharacterKind kinds)
    {
        var bytes = _bytes;
        var ascii = CharacterKinds.Ascii;
        while (true)
        {
            while ((uint)at < (uint)bytes.Length && (ascii[bytes[at]] & kinds) != 0)
            {
                at++;
            }

            if ((uint)at < (uint)bytes.Length && bytes[at] < 0x80)
            {
                return at;
            }

            if ((KindAt(at, out var length) & kinds) == 0)
            {
                return at;
            }

            at += length;
        }
    }

    private CharacterKind Decode(int at, out int length)
    {
        var status = Rune.DecodeFromUtf8(_bytes[at..], out var rune, out length);
        if (status == OperationStatus.Done)
        {
            return CharacterKinds.Of(rune.Value);
        }

        TouchedEnd |= status == OperationStatus.NeedMoreData;
        return CharacterKind.Other;
    }
}
