using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using TokenFactory.TestKit.Processes;

namespace TokenFactory.TestKit.Servers;

/// <summary>A real redis-server of one's own: on a free loopback port, nothing kept on disk unless asked for. It may be killed and
/// started again on the same port, frozen, and made to forget its data or its scripts.</summary>
public sealed class RedisServer : IAsyncDisposable
{
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(20);
    private readonly TempFolder _folder = new();
    private readonly string? _password;
    private readonly bool _keeps;
    private Process? _process;
    private ProcessOutput _output = new();

    private RedisServer(string? password, bool keeps) => (_password, _keeps) = (password, keeps);

    public int Port { get; } = FreePort.Next();

    /// <summary>As a gateway's configuration refers to it, the password included.</summary>
    public string Url => _password is null ? $"redis://127.0.0.1:{Port}" : $"redis://:{_password}@127.0.0.1:{Port}";

    private Process Running => _process is { HasExited: false } running ? running : throw new InvalidOperationException($"Redis is not running:\n{_output}");

    /// <summary>Starts it and waits until it answers.</summary>
    /// <param name="password">Without one it asks for none.</param>
    /// <param name="keeps">What it acknowledged survives its being killed.</param>
    public static async Task<RedisServer> StartAsync(string? password = null, bool keeps = false)
    {
        var server = new RedisServer(password, keeps);
        try
        {
            await server.StartAgainAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts it anew on the same port, empty unless it keeps what it has.</summary>
    public async Task StartAgainAsync()
    {
        if (_process is { HasExited: false })
        {
            throw new InvalidOperationException("Redis is still running.");
        }

        _process?.Dispose();
        var output = _output = new ProcessOutput();
        var start = new ProcessStartInfo("redis-server") { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = _folder.Path };
        foreach (var argument in Arguments())
        {
            start.ArgumentList.Add(argument);
        }

        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => output.Add(error: false, line.Data);
        _process.ErrorDataReceived += (_, line) => output.Add(error: true, line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        await WaitUntilAnsweringAsync();
    }

    /// <summary>SIGKILL: connections break at once.</summary>
    public async Task KillAsync()
    {
        Running.Kill();
        await _process!.WaitForExitAsync();
    }

    /// <summary>SIGSTOP: it keeps its connections and answers nothing.</summary>
    public void Freeze() => Signals.Send(Running.Id, Signals.Stop);

    /// <summary>SIGCONT: what was sent meanwhile is done now.</summary>
    public void Thaw() => Signals.Send(Running.Id, Signals.Continue);

    /// <summary>Forgets all data; scripts and connections stay.</summary>
    public Task FlushAsync() => ExpectAsync("+OK", "FLUSHALL");

    /// <summary>Forgets all scripts, as a failover does; data and connections stay.</summary>
    public Task FlushScriptsAsync() => ExpectAsync("+OK", "SCRIPT", "FLUSH");

    /// <summary>Sends one command on a connection of its own.</summary>
    /// <returns>The first line of the reply as it came: <c>+OK</c>, <c>:3</c>, <c>$5</c> (a text's length; its text follows in the next line, and is returned instead), <c>-ERR …</c>.</returns>
    public async Task<string> SendAsync(params string[] command)
    {
        using var limit = new CancellationTokenSource(_limit);
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, Port, limit.Token);
        await using var stream = client.GetStream();
        using var reader = new StreamReader(stream, Encoding.UTF8);
        if (_password is not null)
        {
            await WriteAsync(stream, ["AUTH", _password], limit.Token);
            await ReplyAsync(reader, limit.Token);
        }

        await WriteAsync(stream, command, limit.Token);
        return await ReplyAsync(reader, limit.Token);
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
        {
            // SIGKILL ends a frozen server too.
            await KillAsync();
        }

        _process?.Dispose();
        _folder.Dispose();
    }

    private string[] Arguments()
    {
        string[] always =
        [
            "--port", Port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--daemonize", "no",
            "--save", "", "--appendonly", _keeps ? "yes" : "no", "--appendfsync", "always", "--dir", _folder.Path,
        ];
        return _password is null ? always : [.. always, "--requirepass", _password];
    }

    private async Task ExpectAsync(string reply, params string[] command)
    {
        if (await SendAsync(command) is var answer && answer != reply)
        {
            throw new InvalidOperationException($"Redis answered '{answer}' to {string.Join(' ', command)}.");
        }
    }

    private async Task WaitUntilAnsweringAsync()
    {
        var started = Stopwatch.GetTimestamp();
        while (!await IsAnsweringAsync())
        {
            if (_process!.HasExited || Stopwatch.GetElapsedTime(started) > _limit)
            {
                throw new TimeoutException($"Redis did not answer within {_limit}:\n{_output}");
            }

            await Task.Delay(10);
        }
    }

    private async Task<bool> IsAnsweringAsync()
    {
        try
        {
            return await SendAsync("PING") == "+PONG";
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static async Task WriteAsync(NetworkStream stream, string[] command, CancellationToken cancel)
    {
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"*{command.Length}\r\n");
        foreach (var word in command)
        {
            text.Append(CultureInfo.InvariantCulture, $"${Encoding.UTF8.GetByteCount(word)}\r\n{word}\r\n");
        }

        await stream.WriteAsync(Encoding.UTF8.GetBytes(text.ToString()), cancel);
    }

    private static async Task<string> ReplyAsync(StreamReader reader, CancellationToken cancel)
    {
        var line = await reader.ReadLineAsync(cancel) ?? throw new IOException("Redis closed the connection.");
        return line.StartsWith('$') && line != "$-1" ? await reader.ReadLineAsync(cancel) ?? "" : line;
    }
}
