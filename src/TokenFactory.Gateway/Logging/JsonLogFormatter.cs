using System.Globalization;
using Serilog.Events;
using Serilog.Formatting;
using Serilog.Formatting.Display;
using Serilog.Formatting.Json;

namespace TokenFactory.Gateway.Logging;

/// <summary>Compact log events (CLEF): <c>@t</c> time, <c>@l</c> level, <c>@i</c> event id, <c>@m</c> message, <c>@x</c>
/// exception, <c>@tr</c> and <c>@sp</c> trace and span, then the event's properties as JSON values of their own.
/// A property whose name begins with <c>@</c> gets a second one, as CLEF asks.</summary>
internal sealed class JsonLogFormatter : ITextFormatter
{
    private readonly MessageTemplateTextFormatter _message = new("{Message:lj}", CultureInfo.InvariantCulture);
    private readonly JsonValueFormatter _values = new(typeTagName: null);

    public void Format(LogEvent logEvent, TextWriter output)
    {
        output.Write("{\"@t\":\"");
        output.Write(logEvent.Timestamp.UtcDateTime.ToString("O", CultureInfo.InvariantCulture));
        output.Write("\",\"@l\":\"");
        output.Write(logEvent.Level.ToString());
        output.Write('"');
        if (EventIdOf(logEvent) is { } id)
        {
            output.Write(",\"@i\":");
            output.Write(id.ToString(CultureInfo.InvariantCulture));
        }

        WriteString(output, "@m", Render(logEvent));
        WriteString(output, "@x", logEvent.Exception?.ToString());
        WriteString(output, "@tr", logEvent.TraceId?.ToHexString());
        WriteString(output, "@sp", logEvent.SpanId?.ToHexString());
        foreach (var (name, value) in logEvent.Properties)
        {
            if (name != "EventId")
            {
                output.Write(',');
                JsonValueFormatter.WriteQuotedJsonString(name.StartsWith('@') ? "@" + name : name, output);
                output.Write(':');
                _values.Format(value, output);
            }
        }

        output.Write("}\n");
    }

    private string Render(LogEvent logEvent)
    {
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        _message.Format(logEvent, text);
        return text.ToString();
    }

    /// <summary>The number that <c>[LoggerMessage]</c> gave the event: it groups lines as their template would.</summary>
    private static int? EventIdOf(LogEvent logEvent) =>
        logEvent.Properties.TryGetValue("EventId", out var value)
        && value is StructureValue structure
        && structure.Properties.FirstOrDefault(p => p.Name == "Id")?.Value is ScalarValue { Value: int id }
            ? id
            : null;

    private static void WriteString(TextWriter output, string name, string? value)
    {
        if (value is not null)
        {
            output.Write(",\"");
            output.Write(name);
            output.Write("\":");
            JsonValueFormatter.WriteQuotedJsonString(value, output);
        }
    }
}
