using System.Text.Json;
using Microsoft.Extensions.Logging;
using Serilog.Events;
using Serilog.Parsing;
using TokenFactory.Gateway.Logging;
using Xunit;

namespace TokenFactory.Gateway.Tests.Logging;

public sealed partial class JsonLogFormatterTests
{
    [Fact]
    public void A_line_is_one_JSON_object_with_time_level_event_message_and_properties()
    {
        var line = Written(logger => Log.Settled(logger, "gpt \"4\"\n", 12, 0.5));

        Assert.Equal("Information", line.GetProperty("@l").GetString());
        Assert.Equal(9001, line.GetProperty("@i").GetInt32());
        Assert.Equal("Settled gpt \"4\"\n with 12 tokens in 0.5", line.GetProperty("@m").GetString());
        Assert.Equal("gpt \"4\"\n", line.GetProperty("Model").GetString());
        Assert.Equal(12, line.GetProperty("Tokens").GetInt64());
        Assert.Equal(0.5, line.GetProperty("Seconds").GetDouble());
        Assert.Equal("Ledger", line.GetProperty("SourceContext").GetString());
        Assert.Equal(TimeSpan.Zero, line.GetProperty("@t").GetDateTimeOffset().Offset);
        Assert.False(line.TryGetProperty("EventId", out _));
    }

    [Fact]
    public void A_value_that_is_JSON_itself_is_encoded_once()
    {
        var line = Written(logger => Log.Settled(logger, """{"a":"b"}""", 0, 0));

        Assert.Equal("""{"a":"b"}""", line.GetProperty("Model").GetString());
    }

    [Fact]
    public void An_exception_is_a_string_with_its_stack()
    {
        var line = Written(logger => Log.Broke(logger, new InvalidOperationException("first\nsecond")));

        Assert.StartsWith("System.InvalidOperationException: first\nsecond", line.GetProperty("@x").GetString(), StringComparison.Ordinal);
        Assert.Equal("Error", line.GetProperty("@l").GetString());
    }

    [Fact]
    public void A_property_that_looks_like_one_of_ours_is_told_apart()
    {
        var template = new MessageTemplateParser().Parse("Settled");
        var logEvent = new LogEvent(DateTimeOffset.UnixEpoch, LogEventLevel.Warning, null, template, [new LogEventProperty("@m", new ScalarValue("forged"))]);
        using var output = new StringWriter();

        new JsonLogFormatter().Format(logEvent, output);

        Assert.Equal("""{"@t":"1970-01-01T00:00:00.0000000Z","@l":"Warning","@m":"Settled","@@m":"forged"}""" + "\n", output.ToString());
    }

    [Fact]
    public void Text_lines_cannot_be_forged_by_a_value()
    {
        var text = LogCapture.Lines(LogFormat.Text, logger => Log.Settled(logger, "m\n12:00:00.000 INF forged \u001b[2J", 0, 0));

        Assert.Contains(@"m\u000a12:00:00.000 INF forged \u001b[2J", Assert.Single(text), StringComparison.Ordinal);
    }

    private static JsonElement Written(Action<ILogger> act) =>
        JsonDocument.Parse(Assert.Single(LogCapture.Lines(LogFormat.Json, act))).RootElement;

    private static partial class Log
    {
        [LoggerMessage(9001, LogLevel.Information, "Settled {Model} with {Tokens} tokens in {Seconds}")]
        public static partial void Settled(ILogger logger, string model, long tokens, double seconds);

        [LoggerMessage(9002, LogLevel.Error, "Broke")]
        public static partial void Broke(ILogger logger, Exception exception);
    }
}
