using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;

namespace TokenFactory.TestKit.Processes;

/// <summary>The real gateway as a process of its own. It may be killed, stopped, paused and started again on the same data
/// and port; every wait has a limit, and every failure shows what the process wrote.</summary>
public sealed partial class GatewayProcess : IAsyncDisposable
{
    private static readonly HttpClient _probe = new() { Timeout = TimeSpan.FromSeconds(5) };
    private readonly GatewayOptions _options;
    private readonly TempFolder _own = new();
    private Process? _process;
    private string? _key;

    private GatewayProcess(GatewayOptions options)
    {
        _options = options;
        Port = options.Port ?? FreePort.Next();
    }

    public int Port { get; }

    public Uri BaseUrl => new($"http://127.0.0.1:{Port}");

    /// <summary>For SDKs: ends in "/v1".</summary>
    public Uri ApiUrl => new(BaseUrl, "/v1");

    public string DataPath => (_options.Data ?? _own).Path;

    public int ProcessId => Running.Id;

    public bool HasExited => _process is null or { HasExited: true };

    /// <summary>What the process wrote since its last start.</summary>
    public ProcessOutput Output { get; private set; } = new();

    /// <summary>The key printed by the first start on this data; kept over restarts.</summary>
    public string Key => _key ?? throw new InvalidOperationException($"The gateway has printed no key:\n{Output}");

    private Process Running => HasExited ? throw new InvalidOperationException($"The gateway is not running:\n{Output}") : _process!;

    /// <summary>Starts it and waits until it is ready.</summary>
    public static async Task<GatewayProcess> StartAsync(GatewayOptions? options = null)
    {
        var gateway = new GatewayProcess(options ?? new GatewayOptions());
        try
        {
            await gateway.StartAgainAsync();
            return gateway;
        }
        catch
        {
            await gateway.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs a command to its end: <c>RunAsync(["admin", "keys", "list"])</c>.</summary>
    public static async Task<CommandResult> RunAsync(IEnumerable<string> arguments, string? input = null, GatewayOptions? options = null)
    {
        options ??= new GatewayOptions();
        using var limit = new CancellationTokenSource(options.StopLimit);
        using var process = Process.Start(DotnetProgram.Describe(options.Program, arguments, options.Environment))!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(limit.Token), process.StandardError.ReadToEndAsync(limit.Token));
        try
        {
            await process.StandardInput.WriteAsync(input.AsMemory(), limit.Token);
            process.StandardInput.Close();
            await process.WaitForExitAsync(limit.Token);
            return new CommandResult(process.ExitCode, await output, await error);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw new TimeoutException($"'gateway {string.Join(' ', arguments)}' did not end within {options.StopLimit}.");
        }
    }

    /// <summary>A command with this gateway's program and environment; <c>--data</c> is the caller's to give.</summary>
    public Task<CommandResult> RunToEndAsync(IEnumerable<string> arguments, string? input = null) => RunAsync(arguments, input, _options);

    /// <summary>Starts it anew on the same data and port after it was killed or stopped.</summary>
    public async Task StartAgainAsync()
    {
        if (!HasExited)
        {
            throw new InvalidOperationException("The gateway is still running.");
        }

        _process?.Dispose();
        var output = Output = new ProcessOutput();
        _process = new Process { StartInfo = DotnetProgram.Describe(_options.Program, Arguments(), _options.Environment) };
        _process.OutputDataReceived += (_, line) => output.Add(error: false, line.Data);
        _process.ErrorDataReceived += (_, line) => output.Add(error: true, line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        _process.StandardInput.Close();
        await WaitUntilReadyAsync();
        await FindKeyAsync();
    }

    /// <summary>SIGKILL: nothing of it runs any more.</summary>
    public async Task KillAsync()
    {
        Running.Kill();
        await WaitForExitAsync();
    }

    /// <summary>SIGTERM, and waits for the end.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> StopAsync()
    {
        Signals.Send(Running.Id, Signals.Terminate);
        return await WaitForExitAsync();
    }

    /// <summary>SIGSTOP: it keeps its connections and does nothing.</summary>
    public async Task PauseAsync()
    {
        Signals.Send(Running.Id, Signals.Stop);
        await UntilAsync(() => StateOf(ProcessId) == 'T', TimeSpan.FromSeconds(5), "did not pause");
    }

    /// <summary>SIGCONT.</summary>
    public async Task ResumeAsync()
    {
        Signals.Send(Running.Id, Signals.Continue);
        await UntilAsync(() => HasExited || StateOf(ProcessId) != 'T', TimeSpan.FromSeconds(5), "did not resume");
    }

    /// <summary>Waits for an end that something else brings about.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> WaitForExitAsync()
    {
        using var limit = new CancellationTokenSource(_options.StopLimit);
        try
        {
            await _process!.WaitForExitAsync(limit.Token);
            return _process.ExitCode;
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"The gateway did not end within {_options.StopLimit}:\n{Output}");
        }
    }

    /// <summary>A client with this gateway's address and key.</summary>
    public HttpClient NewClient()
    {
        var client = new HttpClient { BaseAddress = BaseUrl, Timeout = TimeSpan.FromSeconds(60) };
        client.DefaultRequestHeaders.Authorization = _key is null ? null : new AuthenticationHeaderValue("Bearer", _key);
        return client;
    }

    public async ValueTask DisposeAsync()
    {
        if (!HasExited)
        {
            // SIGKILL ends a paused process too.
            await KillAsync();
        }

        _process?.Dispose();
        _own.Dispose();
    }

    private List<string> Arguments()
    {
        List<string> arguments = ["serve", "--data", DataPath, "--urls", BaseUrl.ToString().TrimEnd('/')];
        if (_options.Config is { } config)
        {
            arguments.AddRange(["--config", _own.Write("gateway.yaml", config)]);
        }

        if (_options.Upstream is { } upstream)
        {
            arguments.AddRange(["--upstream", upstream.ToString()]);
        }

        return [.. arguments, .. _options.Arguments];
    }

    private async Task WaitUntilReadyAsync()
    {
        using var limit = new CancellationTokenSource(_options.StartLimit);
        while (!await IsReadyAsync(limit.Token))
        {
            if (HasExited)
            {
                // The last lines are still on their way when the process is already gone.
                await WaitForExitAsync();
                throw new InvalidOperationException($"The gateway ended with {_process!.ExitCode} instead of starting:\n{Output}");
            }

            if (limit.IsCancellationRequested)
            {
                throw new TimeoutException($"The gateway was not ready within {_options.StartLimit}:\n{Output}");
            }

            await Task.Delay(25);
        }
    }

    private async Task<bool> IsReadyAsync(CancellationToken cancellation)
    {
        try
        {
            using var response = await _probe.GetAsync(new Uri(BaseUrl, "/health/ready"), cancellation);
            return response.IsSuccessStatusCode;
        }
        catch (Exception down) when (down is HttpRequestException or OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>The line may reach us a moment after the first answer does; a start that prints none costs this wait.</summary>
    private async Task FindKeyAsync()
    {
        for (var attempt = 0; attempt < 25 && _key is null; attempt++)
        {
            var match = KeyPattern().Match(string.Join('\n', Output.Lines));
            _key = match.Success ? match.Value : null;
            await Task.Delay(match.Success ? 0 : 20);
        }
    }

    private async Task UntilAsync(Func<bool> condition, TimeSpan limit, string failure)
    {
        var started = Stopwatch.GetTimestamp();
        while (!condition())
        {
            if (Stopwatch.GetElapsedTime(started) > limit)
            {
                throw new TimeoutException(string.Create(CultureInfo.InvariantCulture, $"The gateway {failure}:\n{Output}"));
            }

            await Task.Delay(5);
        }
    }

    /// <summary>The letter after the name in parentheses; the name itself may hold anything.</summary>
    private static char StateOf(int processId)
    {
        var stat = File.ReadAllText($"/proc/{processId}/stat");
        return stat[stat.LastIndexOf(')') + 2];
    }

    [GeneratedRegex("tfk_[0-9A-Za-z]{8}_[0-9A-Za-z]{49}")]
    private static partial Regex KeyPattern();
}
