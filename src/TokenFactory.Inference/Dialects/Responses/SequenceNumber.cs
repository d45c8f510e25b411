using System.Buffers.Text;

namespace TokenFactory.Inference.Dialects.Responses;

/// <summary>The running number of an event of OpenAI's Responses, without parsing the event: inside a string a quote is escaped, so no text can look like the member.</summary>
internal static class SequenceNumber
{
    /// <summary>Null when the event has none.</summary>
    public static long? In(ReadOnlySpan<byte> data)
    {
        while (data.IndexOf("\"sequence_number\":"u8) is >= 0 and var at)
        {
            data = data[(at + "\"sequence_number\":".Length)..].TrimStart(" \t"u8);
            if (Utf8Parser.TryParse(data, out long number, out _) && number >= 0)
            {
                return number;
            }
        }

        return null;
    }
}
