using System.Threading.Channels;
using Serilog.Core;
using Serilog.Events;
using Serilog.Formatting;

namespace TokenFactory.Gateway.Logging;

/// <summary>
/// Takes log events without ever waiting and writes them from one thread: a console that is slow or stuck must not hold a
/// request. The queue is bounded; what does not fit is dropped and counted, because losing a log line is better than
/// losing the gateway (what must not be lost is in the journal). Disposing writes what is queued, within a bound.
/// </summary>
internal sealed class BackgroundLogWriter : ILogEventSink, IDisposable
{
    /// <summary>After the first event of a batch the writer waits this long for more: under load it is woken a hundred
    /// times a second, not once per request.</summary>
    private static readonly TimeSpan _linger = TimeSpan.FromMilliseconds(10);

    private static readonly TimeSpan _flushTimeout = TimeSpan.FromSeconds(3);

    private readonly Channel<LogEvent> _queue;
    private readonly StreamWriter _output;
    private readonly ITextFormatter _formatter;

    // Not spinning: what it waits for comes from threads that need the processor.
    private readonly ManualResetEventSlim _wake = new(initialState: false, spinCount: 0);
    private readonly ManualResetEventSlim _stop = new(initialState: false, spinCount: 0);

    private readonly Thread _thread;
    private long _dropped;

    public BackgroundLogWriter(Stream output, ITextFormatter formatter, int queueLimit)
    {
        _queue = Channel.CreateBounded<LogEvent>(new BoundedChannelOptions(queueLimit) { SingleReader = true });
        _output = new StreamWriter(output, bufferSize: 16 * 1024);
        _formatter = formatter;
        _thread = new Thread(Loop) { IsBackground = true, Name = "log writer" };
        _thread.Start();
        AppDomain.CurrentDomain.ProcessExit += OnExit; // an exit or crash that disposes nothing still says why
        AppDomain.CurrentDomain.UnhandledException += OnExit;
    }

    /// <summary>Events that found the queue full, or that could not be written.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    public void Emit(LogEvent logEvent)
    {
        if (!_queue.Writer.TryWrite(logEvent))
        {
            Interlocked.Increment(ref _dropped);
        }
        else if (!_wake.IsSet)
        {
            _wake.Set();
        }
    }

    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= OnExit;
        AppDomain.CurrentDomain.UnhandledException -= OnExit;
        Finish();
    }

    private void OnExit(object? sender, EventArgs e) => Finish();

    private void Finish()
    {
        _queue.Writer.TryComplete();
        _stop.Set();
        _wake.Set();
        _thread.Join(_flushTimeout);
    }

    private void Loop()
    {
        while (!_stop.IsSet)
        {
            _wake.Wait();
            _stop.Wait(_linger);
            _wake.Reset(); // before draining: an event that comes now wakes the next round
            WriteQueued();
        }

        WriteQueued();
    }

    private void WriteQueued()
    {
        var batch = 0;
        try
        {
            while (_queue.Reader.TryRead(out var logEvent))
            {
                batch++;
                _formatter.Format(logEvent, _output);
            }

            _output.Flush();
        }
        catch (Exception) // edge of a background loop: a closed pipe, or a value that throws when printed, must not end logging
        {
            Interlocked.Add(ref _dropped, batch);
        }
    }
}
