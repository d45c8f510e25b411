using Microsoft.Extensions.Logging;
using Serilog;
using TokenFactory.Gateway.Logging;
using Xunit;

namespace TokenFactory.Gateway.Tests.Logging;

public sealed partial class BackgroundLogWriterTests
{
    [Fact]
    public async Task A_stuck_console_never_holds_the_caller_and_what_does_not_fit_is_counted()
    {
        using var console = new StuckStream();
        var writer = new BackgroundLogWriter(console, new TextLogFormatter(), queueLimit: 10);
        using var logger = new LoggerConfiguration().WriteTo.Sink(writer).CreateLogger();
        logger.Information("first");
        await console.Reached.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);

        for (var i = 0; i < 25; i++)
        {
            logger.Information("event");
        }

        Assert.Equal(15, writer.Dropped);
        console.Release();
        logger.Dispose();
        Assert.Equal(11, console.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public void A_closed_pipe_loses_the_event_counts_it_and_harms_nobody()
    {
        using var output = new ClosedPipe();
        using var writer = new BackgroundLogWriter(output, new TextLogFormatter(), queueLimit: 10);
        using (var logger = new LoggerConfiguration().WriteTo.Sink(writer).CreateLogger())
        {
            logger.Information("lost");
        }

        Assert.Equal(1, writer.Dropped);
    }

    [Fact]
    public void Disposing_writes_every_queued_event_in_order()
    {
        var lines = LogCapture.Lines(LogFormat.Text, logger =>
        {
            for (var i = 0; i < 1000; i++)
            {
                Log.Numbered(logger, i);
            }
        });

        Assert.Equal(Enumerable.Range(0, 1000), lines.Select(line => int.Parse(line.Split(' ')[^1])));
    }

    [Theory]
    [InlineData("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.Critical)]
    [InlineData("Microsoft.AspNetCore.HttpLogging.HttpLoggingMiddleware", LogLevel.Critical)]
    [InlineData("Microsoft.AspNetCore.Routing.EndpointMiddleware", LogLevel.Information)]
    [InlineData("Yarp.ReverseProxy.Forwarder.HttpForwarder", LogLevel.Information)]
    public void Framework_categories_that_name_paths_and_headers_stay_silent(string category, LogLevel level)
    {
        LogCapture.Lines(LogFormat.Json, logger => Assert.False(logger.IsEnabled(level)), category);
    }

    private static partial class Log
    {
        [LoggerMessage(9003, LogLevel.Information, "Number {Number}")]
        public static partial void Numbered(Microsoft.Extensions.Logging.ILogger logger, int number);
    }

    /// <summary>A console whose reader has stopped reading.</summary>
    private sealed class StuckStream : MemoryStream
    {
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly ManualResetEventSlim _released = new();

        public Task Reached => _reached.Task;

        public string Text => System.Text.Encoding.UTF8.GetString(ToArray());

        public void Release() => _released.Set();

        public override void Write(byte[] buffer, int offset, int count)
        {
            _reached.TrySetResult();
            _released.Wait();
            base.Write(buffer, offset, count);
        }
    }

    private sealed class ClosedPipe : MemoryStream
    {
        public override void Write(byte[] buffer, int offset, int count) => throw new IOException("Broken pipe");
    }
}
