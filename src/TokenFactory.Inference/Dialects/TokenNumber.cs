using System.Text.Json;

namespace TokenFactory.Inference.Dialects;

/// <summary>A count of tokens in a usage object.</summary>
internal static class TokenNumber
{
    /// <summary>The member's count, or null: negative, fractional and absurd numbers say nothing, and billing must not guess from them.</summary>
    public static long? Read(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.Number)
        {
            reader.Skip();
            return null;
        }

        if (reader.TryGetInt64(out var whole))
        {
            return whole is >= 0 and <= int.MaxValue ? whole : null;
        }

        // Some servers write 12.0.
        return reader.TryGetDecimal(out var number) && number is >= 0 and <= int.MaxValue && decimal.IsInteger(number)
            ? (long)number
            : null;
    }

    /// <summary>Goes over a member that is no count of ours.</summary>
    public static void Pass(ref Utf8JsonReader reader)
    {
        reader.Read();
        reader.Skip();
    }
}
