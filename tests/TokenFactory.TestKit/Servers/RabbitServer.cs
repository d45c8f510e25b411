using System.Diagnostics;
using System.Globalization;
using TokenFactory.TestKit.Processes;

namespace TokenFactory.TestKit.Servers;

/// <summary>
/// A real RabbitMQ of the system's packages, on loopback ports of its own, in a temporary folder. It may be killed, frozen and
/// started again on the same data. It takes some seconds to start. Erlang's name service runs beside it on a port of its own, as
/// our child and not as the machine's daemon, so that two of these know nothing of each other and nothing is left behind.
/// </summary>
public sealed class RabbitServer : IAsyncDisposable
{
    /// <summary>Larger messages are refused.</summary>
    public const int MaxMessageBytes = 65_536;

    private const string Programs = "/usr/lib/rabbitmq/bin";
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(120);

    private readonly TempFolder _folder = new();
    private readonly int _namePort = FreePort.Next();
    private readonly int _nodePort = FreePort.Next();
    private Process? _names;
    private Process? _broker;
    private ProcessOutput _output = new();

    private RabbitServer()
    {
    }

    public int Port { get; } = FreePort.Next();

    /// <summary>As a gateway's configuration refers to it.</summary>
    public string Url => $"amqp://guest:guest@127.0.0.1:{Port}";

    private string Node => $"tokenfactory{Port}@localhost";

    private Process Running => _broker is { HasExited: false } running ? running : throw new InvalidOperationException($"RabbitMQ is not running:\n{_output}");

    public static async Task<RabbitServer> StartAsync()
    {
        if (!Directory.Exists(Programs))
        {
            throw new InvalidOperationException("RabbitMQ is not installed; install the system's package rabbitmq-server (./test does).");
        }

        var server = new RabbitServer();
        try
        {
            server._folder.Write("rabbitmq.conf", string.Create(CultureInfo.InvariantCulture,
                $"max_message_size = {MaxMessageBytes}\ndisk_free_limit.absolute = 1MB\nvm_memory_high_watermark.absolute = 2GB\n"));
            server._folder.Write("environment.conf", "");
            server._folder.Write("plugins", "[].");
            server._names = server.Start(new ProcessStartInfo("epmd", ["-port", server._namePort.ToString(CultureInfo.InvariantCulture), "-address", "127.0.0.1"]), new ProcessOutput());
            await server.StartAgainAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts it on what it kept, on the same port.</summary>
    public async Task StartAgainAsync()
    {
        if (_broker is { HasExited: false })
        {
            throw new InvalidOperationException("RabbitMQ is still running.");
        }

        _broker?.Dispose();
        var output = _output = new ProcessOutput();
        _broker = Start(new ProcessStartInfo(Path.Combine(Programs, "rabbitmq-server")), output);
        var started = Stopwatch.GetTimestamp();
        while (!output.Lines.Any(line => line.Contains("Server startup complete", StringComparison.Ordinal)))
        {
            if (_broker.HasExited || Stopwatch.GetElapsedTime(started) > _limit)
            {
                throw new TimeoutException($"RabbitMQ did not start within {_limit}:\n{output}");
            }

            await Task.Delay(50);
        }
    }

    /// <summary>Thawed and started if it is not: for the next test, whatever became of the last one.</summary>
    public async Task EnsureRunningAsync()
    {
        if (_broker is { HasExited: false })
        {
            Thaw();
        }
        else
        {
            await StartAgainAsync();
        }
    }

    /// <summary>SIGKILL: what it confirmed of persistent messages in durable queues is there after the next start.</summary>
    public async Task KillAsync()
    {
        Signals.Send(Running.Id, Signals.Kill);
        await _broker!.WaitForExitAsync();
    }

    /// <summary>SIGSTOP: it keeps its connections and answers nothing.</summary>
    public void Freeze() => Signals.Send(Running.Id, Signals.Stop);

    /// <summary>SIGCONT: what was sent meanwhile is done now.</summary>
    public void Thaw() => Signals.Send(Running.Id, Signals.Continue);

    /// <summary>The alarm of a broker short of memory: it stops reading from whoever publishes.</summary>
    public Task RaiseMemoryAlarmAsync() => ControlAsync("eval", "rabbit_alarm:set_alarm({{resource_limit, memory, node()}, []}).");

    public Task ClearMemoryAlarmAsync() => ControlAsync("eval", "rabbit_alarm:clear_alarm({resource_limit, memory, node()}).");

    public async ValueTask DisposeAsync()
    {
        foreach (var process in new[] { _broker, _names }.OfType<Process>())
        {
            if (!process.HasExited)
            {
                Signals.TrySend(process.Id, Signals.Kill);
                await process.WaitForExitAsync();
            }

            process.Dispose();
        }

        _folder.Dispose();
    }

    private async Task ControlAsync(params string[] arguments)
    {
        var output = new ProcessOutput();
        using var control = Start(new ProcessStartInfo(Path.Combine(Programs, "rabbitmqctl"), ["-n", Node, .. arguments]), output);
        await control.WaitForExitAsync().WaitAsync(_limit);
        if (control.ExitCode != 0)
        {
            throw new InvalidOperationException($"rabbitmqctl ended with {control.ExitCode}:\n{output}");
        }
    }

    private Process Start(ProcessStartInfo start, ProcessOutput output)
    {
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        start.WorkingDirectory = _folder.Path;
        foreach (var (name, value) in Surroundings())
        {
            start.Environment[name] = value;
        }

        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, line) => output.Add(error: false, line.Data);
        process.ErrorDataReceived += (_, line) => output.Add(error: true, line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private IEnumerable<(string Name, string Value)> Surroundings() =>
    [
        ("HOME", _folder.Path),
        ("ERL_EPMD_PORT", _namePort.ToString(CultureInfo.InvariantCulture)),
        ("ERL_EPMD_ADDRESS", "127.0.0.1"),
        ("RABBITMQ_NODENAME", Node),
        ("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1"),
        ("RABBITMQ_NODE_PORT", Port.ToString(CultureInfo.InvariantCulture)),
        ("RABBITMQ_DIST_PORT", _nodePort.ToString(CultureInfo.InvariantCulture)),
        ("RABBITMQ_MNESIA_BASE", _folder.File("data")),
        ("RABBITMQ_LOG_BASE", _folder.File("log")),
        ("RABBITMQ_LOGS", "-"),
        ("RABBITMQ_CONFIG_FILE", _folder.File("rabbitmq.conf")),
        ("RABBITMQ_CONF_ENV_FILE", _folder.File("environment.conf")),
        ("RABBITMQ_ENABLED_PLUGINS_FILE", _folder.File("plugins")),

        // The script then becomes the broker, so the process id is the broker's own.
        ("RUNNING_UNDER_SYSTEMD", "true"),

        // One scheduler that does not spin: the machine is shared with what is tested.
        ("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}"),
    ];
}
