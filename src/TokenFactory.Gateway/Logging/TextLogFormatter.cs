using System.Globalization;
using Serilog.Events;
using Serilog.Formatting;
using Serilog.Formatting.Display;

namespace TokenFactory.Gateway.Logging;

/// <summary>One line per event for a terminal; an exception follows on lines of its own. Control characters in a message are
/// escaped, so that a value a caller sent can neither forge a line nor steer the terminal.</summary>
internal sealed class TextLogFormatter : ITextFormatter
{
    private readonly MessageTemplateTextFormatter _head = new("{Timestamp:HH:mm:ss.fff} {Level:u3} ", CultureInfo.InvariantCulture);
    private readonly MessageTemplateTextFormatter _message = new("{Message:lj}", CultureInfo.InvariantCulture);

    public void Format(LogEvent logEvent, TextWriter output)
    {
        _head.Format(logEvent, output);
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        _message.Format(logEvent, text);
        foreach (var c in text.ToString())
        {
            if (char.IsControl(c))
            {
                output.Write($"\\u{(int)c:x4}");
            }
            else
            {
                output.Write(c);
            }
        }

        output.Write('\n');
        if (logEvent.Exception is { } exception)
        {
            output.Write(exception.ToString());
            output.Write('\n');
        }
    }
}
