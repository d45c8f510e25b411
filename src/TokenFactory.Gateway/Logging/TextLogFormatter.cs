using System.Buffers;
using System.Globalization;
using System.Text;
using Serilog.Events;
using Serilog.Formatting;
using Serilog.Formatting.Display;

namespace TokenFactory.Gateway.Logging;

/// <summary>One line per event for a terminal; an exception follows on lines of its own. Control characters in a message are
/// escaped, so that a value a caller sent can neither forge a line nor steer the terminal.</summary>
internal sealed class TextLogFormatter : ITextFormatter
{
    private static readonly SearchValues<char> _controls =
        SearchValues.Create([.. Enumerable.Range(0, 0xa0).Select(code => (char)code).Where(char.IsControl)]);

    private readonly MessageTemplateTextFormatter _head = new("{Timestamp:HH:mm:ss.fff} {Level:u3} ", CultureInfo.InvariantCulture);
    private readonly MessageTemplateTextFormatter _message = new("{Message:lj}", CultureInfo.InvariantCulture);

    public void Format(LogEvent logEvent, TextWriter output)
    {
        _head.Format(logEvent, output);
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        _message.Format(logEvent, text);
        WriteEscaped(text.GetStringBuilder(), output);
        output.Write('\n');
        if (logEvent.Exception is { } exception)
        {
            output.Write(exception.ToString());
            output.Write('\n');
        }
    }

    private static void WriteEscaped(StringBuilder text, TextWriter output)
    {
        foreach (var piece in text.GetChunks())
        {
            var rest = piece.Span;
            for (var at = rest.IndexOfAny(_controls); at >= 0; at = rest.IndexOfAny(_controls))
            {
                output.Write(rest[..at]);
                output.Write($"\\u{(int)rest[at]:x4}");
                rest = rest[(at + 1)..];
            }

            output.Write(rest);
        }
    }
}
