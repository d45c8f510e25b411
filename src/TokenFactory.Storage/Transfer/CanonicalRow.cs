using System.Buffers;
using System.Data.Common;
using System.Globalization;
using System.Text;
using System.Text.Json;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Storage.Transfer;

/// <summary>
/// A row as one line of JSON whose bytes depend on the row alone, whatever store or runtime wrote it: checksums are taken over them.
/// Ids as text, times as whole microseconds since 1970 in UTC, days as 2026-11-21, bytes as base64; of a text only quotes,
/// backslashes and control characters are escaped.
/// </summary>
internal static class CanonicalRow
{
    private const int LongestNumber = 36;

    /// <summary>Every control character, the quote and the backslash.</summary>
    private static readonly SearchValues<byte> _escaped = SearchValues.Create([.. Enumerable.Range(0, 0x20).Select(static code => (byte)code), (byte)'"', (byte)'\\']);

    /// <param name="reader">On a row with the table's columns.</param>
    public static void Write(ArrayBufferWriter<byte> into, DbDataReader reader, TransferTable table, StoredValues values)
    {
        for (var column = 0; column < table.Columns.Count; column++)
        {
            Put(into, column == 0 ? "["u8 : ","u8);
            if (reader.IsDBNull(column))
            {
                Put(into, "null"u8);
                continue;
            }

            switch (table.Columns[column].Type)
            {
                case TransferType.Id:
                    Quoted(into, values.Id(reader, column), "D");
                    break;
                case TransferType.Day:
                    Quoted(into, values.Day(reader, column), "O");
                    break;
                case TransferType.Time:
                    Plain(into, Micros.Of(values.Time(reader, column)));
                    break;
                case TransferType.Long:
                    Plain(into, reader.GetInt64(column));
                    break;
                case TransferType.Int:
                    Plain(into, (long)reader.GetInt32(column));
                    break;
                case TransferType.Flag:
                    Put(into, reader.GetBoolean(column) ? "true"u8 : "false"u8);
                    break;
                case TransferType.Bytes:
                    Base64(into, reader.GetFieldValue<byte[]>(column));
                    break;
                default:
                    Text(into, reader.GetString(column));
                    break;
            }
        }

        Put(into, "]\n"u8);
    }

    /// <param name="values">Filled: Guid, DateTimeOffset, DateOnly, byte[], string, bool, int, long or null.</param>
    /// <exception cref="FormatException">The line is no row of this table.</exception>
    public static void Read(ReadOnlySpan<byte> line, TransferTable table, object?[] values)
    {
        try
        {
            var json = new Utf8JsonReader(line);
            json.Read();
            for (var column = 0; column < table.Columns.Count; column++)
            {
                json.Read();
                values[column] = Value(ref json, table.Columns[column]);
            }

            if (!json.Read() || json.TokenType != JsonTokenType.EndArray || json.Read())
            {
                throw new FormatException("it has too many values");
            }
        }
        catch (Exception cause) when (cause is JsonException or InvalidOperationException or ArgumentOutOfRangeException)
        {
            throw new FormatException(cause.Message, cause);
        }
    }

    private static object? Value(ref Utf8JsonReader json, TransferColumn column) => json.TokenType == JsonTokenType.Null
        ? column.IsNullable ? null : throw new FormatException($"{column.Name} is missing")
        : column.Type switch
        {
            TransferType.Id => json.GetGuid(),
            TransferType.Day => DateOnly.ParseExact(json.GetString()!, "O", CultureInfo.InvariantCulture),
            TransferType.Time => Micros.ToTime(json.GetInt64()),
            TransferType.Long => json.GetInt64(),
            TransferType.Int => json.GetInt32(),
            TransferType.Flag => json.GetBoolean(),
            TransferType.Bytes => json.GetBytesFromBase64(),
            _ => json.GetString(),
        };

    private static void Plain(ArrayBufferWriter<byte> into, long value)
    {
        value.TryFormat(into.GetSpan(LongestNumber), out var written, default, CultureInfo.InvariantCulture);
        into.Advance(written);
    }

    private static void Quoted<T>(ArrayBufferWriter<byte> into, T value, string format)
        where T : IUtf8SpanFormattable
    {
        Put(into, "\""u8);
        value.TryFormat(into.GetSpan(LongestNumber), out var written, format, CultureInfo.InvariantCulture);
        into.Advance(written);
        Put(into, "\""u8);
    }

    private static void Base64(ArrayBufferWriter<byte> into, byte[] bytes)
    {
        Put(into, "\""u8);
        System.Buffers.Text.Base64.EncodeToUtf8(bytes, into.GetSpan(System.Buffers.Text.Base64.GetMaxEncodedToUtf8Length(bytes.Length)), out _, out var written);
        into.Advance(written);
        Put(into, "\""u8);
    }

    private static void Text(ArrayBufferWriter<byte> into, string text)
    {
        Put(into, "\""u8);
        var span = into.GetSpan(Encoding.UTF8.GetMaxByteCount(text.Length));
        var length = Encoding.UTF8.GetBytes(text, span);
        if (span[..length].IndexOfAny(_escaped) < 0)
        {
            into.Advance(length);
        }
        else
        {
            foreach (var one in span[..length].ToArray())
            {
                Escape(into, one);
            }
        }

        Put(into, "\""u8);
    }

    private static void Escape(ArrayBufferWriter<byte> into, byte one)
    {
        if (one >= 0x20)
        {
            Put(into, one is (byte)'"' or (byte)'\\' ? [(byte)'\\', one] : [one]);
            return;
        }

        Put(into, "\\u00"u8);
        one.TryFormat(into.GetSpan(2), out var written, "x2", CultureInfo.InvariantCulture);
        into.Advance(written);
    }

    private static void Put(ArrayBufferWriter<byte> into, ReadOnlySpan<byte> bytes) => into.Write(bytes);
}
