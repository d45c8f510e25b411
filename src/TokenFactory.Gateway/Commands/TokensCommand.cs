using System.Buffers;
using System.Buffers.Text;
using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using TokenFactory.Tokenizer;

namespace TokenFactory.Gateway.Commands;

/// <summary><c>gateway tokens encode|count</c>: what the gateway's own count of a text is, for checking an invoice or
/// sizing a prompt. Needs no configuration and no store. Stops at the first line it cannot read, with exit code 1.</summary>
internal static class TokensCommand
{
    public static Command Create() => Create(Console.OpenStandardInput);

    /// <param name="openInput">Opens standard input; called once, when the command runs.</param>
    internal static Command Create(Func<Stream> openInput)
    {
        return new Command("tokens", "Count or encode text with the gateway's tokenizer.")
        {
            Verb("encode", "Print the token ids of standard input as a JSON array.", openInput, PrintIds),
            Verb("count", "Print the number of tokens of standard input.", openInput, PrintCount),
        };
    }

    private static Command Verb(string name, string description, Func<Stream> openInput, Print print)
    {
        var known = string.Join(", ", TokenEncoding.All.Select(one => one.Name));
        var encoding = new Option<string?>("--encoding") { Description = $"The encoding: {known}. Default: o200k_base.", HelpName = "E" };
        var model = new Option<string?>("--model") { Description = "Use the encoding of this model; o200k_base if it is not known.", HelpName = "M" };
        var jsonLines = new Option<bool>("--jsonl") { Description = """Each line is {"text":"…"}; prints one result per line.""" };
        encoding.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string?>() is { } asked && TokenEncoding.ForEncoding(asked) is null)
            {
                result.AddError($"Unknown encoding '{asked}'. Known encodings: {known}.");
            }
        });

        var verb = new Command(name, description) { encoding, model, jsonLines };
        verb.Validators.Add(result =>
        {
            if (result.GetResult(encoding) is not null && result.GetResult(model) is not null)
            {
                result.AddError("Give --encoding or --model, not both.");
            }
        });
        verb.SetAction(parsed =>
        {
            var chosen = parsed.GetValue(encoding) is { } asked
                ? TokenEncoding.ForEncoding(asked)!
                : TokenEncoding.ForModel(parsed.GetValue(model) ?? "");
            var streams = parsed.InvocationConfiguration;
            using var input = openInput();
            return parsed.GetValue(jsonLines)
                ? RunLines(input, streams.Output, streams.Error, (text, output) => print(chosen, text, output))
                : RunWhole(input, streams.Output, (text, output) => print(chosen, text, output));
        });
        return verb;
    }

    private static int RunWhole(Stream input, TextWriter output, PrintText print)
    {
        using var text = new MemoryStream();
        input.CopyTo(text);
        print(text.GetBuffer().AsSpan(0, (int)text.Length), output);
        return 0;
    }

    private static int RunLines(Stream input, TextWriter output, TextWriter error, PrintText print)
    {
        var lines = new ByteLines(input);
        for (var number = 1; lines.TryRead(out var line); number++)
        {
            // Unescaping never makes a text longer.
            var text = ArrayPool<byte>.Shared.Rent(line.Length);
            try
            {
                print(text.AsSpan(0, ReadText(line, text)), output);
            }
            catch (JsonException exception)
            {
                var place = exception.BytePositionInLine is { } at ? $" at byte {at}" : "";
                error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Line {number}: not a JSON object with a string \"text\"{place}."));
                return 1;
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(text);
            }
        }

        return 0;
    }

    /// <summary>Copies the unescaped value of "text" and returns its length. As in most readers the last of equal keys wins.</summary>
    private static int ReadText(ReadOnlySpan<byte> line, Span<byte> text)
    {
        var reader = new Utf8JsonReader(line);
        var length = -1;
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException();
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isText = reader.ValueTextEquals("text"u8);
            reader.Read();
            if (isText)
            {
                length = reader.TokenType == JsonTokenType.String ? Unescape(reader.ValueSpan, text) : throw new JsonException();
            }
            else
            {
                reader.Skip();
            }
        }

        // Reads on to the end, because anything after the object is a mistake the reader reports.
        return !reader.Read() && length >= 0 ? length : throw new JsonException();
    }

    // Not Utf8JsonReader.CopyString: that one refuses half a surrogate pair, which models do send and JSON allows.
    private static int Unescape(ReadOnlySpan<byte> escaped, Span<byte> text)
    {
        var written = 0;
        while (escaped.IndexOf((byte)'\\') is var plain && plain >= 0)
        {
            escaped[..plain].CopyTo(text[written..]);
            written += plain;
            var mark = escaped[plain + 1];
            escaped = escaped[(plain + 2)..];
            if (mark == 'u')
            {
                written += Unit(ref escaped).EncodeToUtf8(text[written..]);
            }
            else
            {
                text[written++] = mark switch { (byte)'n' => (byte)'\n', (byte)'t' => (byte)'\t', (byte)'r' => (byte)'\r', (byte)'b' => (byte)'\b', (byte)'f' => (byte)'\f', _ => mark };
            }
        }

        escaped.CopyTo(text[written..]);
        return written + escaped.Length;
    }

    /// <summary>The character of a \u escape whose digits come next, with the other half of its pair if that follows.</summary>
    private static Rune Unit(ref ReadOnlySpan<byte> escaped)
    {
        var first = Hex(escaped);
        escaped = escaped[4..];
        if (char.IsHighSurrogate(first) && escaped.StartsWith("\\u"u8) && Hex(escaped[2..]) is var second && char.IsLowSurrogate(second))
        {
            escaped = escaped[6..];
            return new Rune(first, second);
        }

        return Rune.TryCreate(first, out var rune) ? rune : Rune.ReplacementChar;
    }

    // The reader has checked that four digits stand here.
    private static char Hex(ReadOnlySpan<byte> digits) =>
        Utf8Parser.TryParse(digits[..4], out ushort unit, out _, 'x') ? (char)unit : throw new JsonException();

    private static void PrintCount(TokenEncoding encoding, ReadOnlySpan<byte> text, TextWriter output) =>
        output.WriteLine(encoding.Count(text).ToString(CultureInfo.InvariantCulture));

    private static void PrintIds(TokenEncoding encoding, ReadOnlySpan<byte> text, TextWriter output)
    {
        var ids = new ArrayBufferWriter<int>();
        encoding.Encode(text, ids);
        var array = new StringBuilder("[");
        foreach (var id in ids.WrittenSpan)
        {
            array.Append(array.Length > 1 ? "," : "").Append(CultureInfo.InvariantCulture, $"{id}");
        }

        output.WriteLine(array.Append(']').ToString());
    }

    private delegate void Print(TokenEncoding encoding, ReadOnlySpan<byte> text, TextWriter output);

    private delegate void PrintText(ReadOnlySpan<byte> text, TextWriter output);

    /// <summary>Lines as bytes, however long, so that what is not UTF-8 arrives as it was sent.</summary>
    private sealed class ByteLines(Stream input)
    {
        private byte[] _buffer = new byte[64 * 1024];
        private int _start;
        private int _end;

        internal bool TryRead(out ReadOnlySpan<byte> line)
        {
            var searched = 0;
            while (true)
            {
                var unread = _buffer.AsSpan(_start.._end);
                var newline = unread[searched..].IndexOf((byte)'\n');
                if (newline >= 0)
                {
                    line = unread[..(searched + newline)];
                    _start += line.Length + 1;
                    return true;
                }

                searched = unread.Length;
                if (!Fill())
                {
                    // The last line may go without its newline; after one, nothing is left and there is no line.
                    line = unread;
                    _start = _end;
                    return !unread.IsEmpty;
                }
            }
        }

        private bool Fill()
        {
            if (_start > 0)
            {
                _buffer.AsSpan(_start.._end).CopyTo(_buffer);
                _end -= _start;
                _start = 0;
            }

            if (_end == _buffer.Length)
            {
                Array.Resize(ref _buffer, 2 * _buffer.Length);
            }

            var read = input.Read(_buffer, _end, _buffer.Length - _end);
            _end += read;
            return read > 0;
        }
    }
}
