namespace TokenFactory.Inference.Intake;

/// <summary>
/// Half of a surrogate pair, written as an escape, is valid JSON and no text: every reader that decodes it fails, each in another place.
/// So it is refused where a body is read first.
/// </summary>
internal static class Surrogates
{
    public static bool ArePaired(ReadOnlySpan<byte> json)
    {
        // Nearly no body has any: one vectorised look is all it costs.
        if (json.IndexOf("\\ud"u8) < 0 && json.IndexOf("\\uD"u8) < 0)
        {
            return true;
        }

        for (var at = json.IndexOf((byte)'\\'); at >= 0 && at + 1 < json.Length; at = Next(json, at))
        {
            if (!IsSurrogate(json[at..], out var isHigh))
            {
                at += 2;
                continue;
            }

            if (!isHigh || json.Length < at + 12 || !IsSurrogate(json[(at + 6)..], out var isNextHigh) || isNextHigh)
            {
                return false;
            }

            at += 12;
        }

        return true;
    }

    /// <summary>The next escape at or after this place; -1 when there is none.</summary>
    private static int Next(ReadOnlySpan<byte> json, int from)
    {
        var next = from < json.Length ? json[from..].IndexOf((byte)'\\') : -1;
        return next < 0 ? -1 : from + next;
    }

    private static bool IsSurrogate(ReadOnlySpan<byte> escape, out bool isHigh)
    {
        isHigh = false;
        if (escape.Length < 6 || escape[0] != '\\' || escape[1] != 'u' || (escape[2] | 0x20) != 'd')
        {
            return false;
        }

        var digit = escape[3] | 0x20;
        isHigh = escape[3] is (byte)'8' or (byte)'9' || digit is 'a' or 'b';
        return isHigh || digit is >= 'c' and <= 'f';
    }
}
