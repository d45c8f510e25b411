using System.Globalization;
using System.Text;

namespace TokenFactory.Inference.Metering.Scanning;

/// <summary>The inside of JSON strings, as bytes.</summary>
internal static class JsonEscapes
{
    /// <summary>The index of the quote that ends the string whose inside starts at <paramref name="start"/>, or -1.</summary>
    public static int StringEnd(ReadOnlySpan<byte> json, int start)
    {
        var at = start;
        while (true)
        {
            var next = json[at..].IndexOfAny((byte)'"', (byte)'\\');
            if (next < 0)
            {
                return -1;
            }

            at += next;
            if (json[at] == '"')
            {
                return at;
            }

            at += 2;
            if (at > json.Length)
            {
                return -1;
            }
        }
    }

    /// <summary>Writes the text an escaped string stands for: never longer than its source. Broken escapes are left out.</summary>
    public static int Unescape(ReadOnlySpan<byte> raw, Span<byte> text)
    {
        var written = 0;
        while (true)
        {
            var plain = raw.IndexOf((byte)'\\');
            plain = plain < 0 ? raw.Length : plain;
            raw[..plain].CopyTo(text[written..]);
            written += plain;
            raw = raw[plain..];
            if (raw.Length < 2)
            {
                return written;
            }

            if (raw[1] != 'u')
            {
                text[written++] = raw[1] switch
                {
                    (byte)'n' => (byte)'\n',
                    (byte)'t' => (byte)'\t',
                    (byte)'r' => (byte)'\r',
                    (byte)'b' => (byte)'\b',
                    (byte)'f' => (byte)'\f',
                    var same => same,
                };
                raw = raw[2..];
                continue;
            }

            if (raw.Length < 6)
            {
                return written;
            }

            written += Scalar(ref raw).EncodeToUtf8(text[written..]);
        }
    }

    /// <summary>The largest cut at or below <paramref name="limit"/> that splits neither an escape nor a UTF-8 sequence.</summary>
    public static int SafeCut(ReadOnlySpan<byte> raw, int limit)
    {
        var at = 0;
        while (true)
        {
            var plain = raw[at..limit].IndexOf((byte)'\\');
            if (plain < 0)
            {
                break;
            }

            var escape = at + plain;
            var end = escape + (escape + 1 < raw.Length && raw[escape + 1] == 'u' ? 6 : 2);
            if (end > limit)
            {
                return escape;
            }

            at = end;
        }

        while (limit > at && limit < raw.Length && (raw[limit] & 0xC0) == 0x80)
        {
            limit--;
        }

        return limit;
    }

    private static Rune Scalar(ref ReadOnlySpan<byte> raw)
    {
        var high = Unit(ref raw);
        if (char.IsHighSurrogate(high) && raw.Length >= 6 && raw.StartsWith("\\u"u8))
        {
            var rest = raw;
            var low = Unit(ref rest);
            if (char.IsLowSurrogate(low))
            {
                raw = rest;
                return new Rune(high, low);
            }
        }

        return Rune.TryCreate(high, out var rune) ? rune : Rune.ReplacementChar;
    }

    private static char Unit(ref ReadOnlySpan<byte> raw)
    {
        var digits = raw.Slice(2, 4);
        raw = raw[6..];
        return ushort.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var unit)
            ? (char)unit
            : '\uFFFD';
    }
}
