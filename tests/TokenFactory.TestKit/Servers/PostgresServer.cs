using System.Diagnostics;
using System.Globalization;
using Npgsql;
using TokenFactory.TestKit.Processes;

namespace TokenFactory.TestKit.Servers;

/// <summary>
/// A real PostgreSQL of the system's binaries, on a port of its own, in a temporary folder. It may be killed, frozen and
/// started again on the same data. It syncs nothing to the disk: tests kill processes, not the machine.
/// </summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private static readonly Lazy<Task<PostgresServer>> _shared = new(StartSharedAsync);
    private static int _databases;

    private readonly string _folder;
    private readonly ProcessOutput _output = new();
    private readonly bool _syncs;
    private Process? _process;

    private PostgresServer(string folder, bool syncs) => (_folder, _syncs) = (folder, syncs);

    public int Port { get; } = FreePort.Next();

    /// <summary>One server for the whole test process; it ends with it. Not for a test that hurts its server.</summary>
    public static Task<PostgresServer> SharedAsync() => _shared.Value;

    /// <param name="syncs">Whether commits reach the disk: what is measured must, what a test kills need not, for the system lives on.</param>
    public static async Task<PostgresServer> StartAsync(bool syncs = false)
    {
        var server = new PostgresServer(await PostgresPrograms.NewFolderAsync(), syncs);
        try
        {
            await PostgresPrograms.RunAsync("initdb", "-D", server.Data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync");
            await server.StartAgainAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public string ConnectionString(string database, string user = "postgres") =>
        string.Create(CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={Port};Database={database};Username={user};Timeout=5;Command Timeout=20;Include Error Detail=true");

    /// <param name="template">A database nobody is connected to, copied.</param>
    /// <returns>The name of a new database.</returns>
    public async Task<string> NewDatabaseAsync(string? template = null)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"test_{Interlocked.Increment(ref _databases)}");
        await ExecuteAsync("postgres", template is null ? $"CREATE DATABASE {name}" : $"CREATE DATABASE {name} TEMPLATE {template}");
        return name;
    }

    /// <summary>Another database with what is committed in this one now, while its users go on.</summary>
    public async Task<string> CopyDatabaseAsync(string database)
    {
        var copy = await NewDatabaseAsync();
        var dump = Path.Combine(_folder, copy + ".sql");
        string[] server = ["-h", "127.0.0.1", "-p", Port.ToString(CultureInfo.InvariantCulture), "-U", "postgres"];
        await PostgresPrograms.RunAsync("pg_dump", [.. server, "-f", dump, database]);
        await PostgresPrograms.RunAsync("psql", [.. server, "-q", "-X", "-v", "ON_ERROR_STOP=1", "-f", dump, copy]);
        return copy;
    }

    public async Task ExecuteAsync(string database, string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionString(database) + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Starts it on the same data and port after it was killed.</summary>
    public async Task StartAgainAsync()
    {
        _process?.Dispose();

        // A killed server leaves this behind; its processes are gone when Kill returned.
        File.Delete(Path.Combine(Data, "postmaster.pid"));
        _process = new Process
        {
            StartInfo = PostgresPrograms.Describe(
                "postgres", "-D", Data, "-p", Port.ToString(CultureInfo.InvariantCulture), "-k", _folder, "-c", "listen_addresses=127.0.0.1",
                "-c", $"fsync={(_syncs ? "on" : "off")}", "-c", $"shared_buffers={(_syncs ? 128 : 64)}MB", "-c", "max_connections=200", "-c", "log_min_messages=warning"),
        };
        _process.OutputDataReceived += (_, line) => _output.Add(error: false, line.Data);
        _process.ErrorDataReceived += (_, line) => _output.Add(error: true, line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        await WaitUntilReadyAsync();
    }

    /// <summary>SIGKILL to the server and all its sessions.</summary>
    public async Task KillAsync()
    {
        foreach (var id in Everyone())
        {
            TrySignal(id, Signals.Kill);
        }

        await _process!.WaitForExitAsync();
    }

    /// <summary>SIGSTOP to the server and all its sessions: connections stay open, nothing is answered.</summary>
    public void Pause() => Everyone().ForEach(id => TrySignal(id, Signals.Stop));

    public void Resume() => Everyone().ForEach(id => TrySignal(id, Signals.Continue));

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
        {
            await KillAsync();
        }

        _process?.Dispose();
        await DeleteFolderAsync();
    }

    private string Data => Path.Combine(_folder, "data");

    private static async Task<PostgresServer> StartSharedAsync()
    {
        var server = await StartAsync();
        AppDomain.CurrentDomain.ProcessExit += (_, _) =>
        {
            server.Everyone().ForEach(id => TrySignal(id, Signals.Kill));
            server._process!.WaitForExit(TimeSpan.FromSeconds(5));

            // Nothing waits for a handler of the process' end that has not finished.
            server.DeleteFolderAsync().GetAwaiter().GetResult();
        };
        return server;
    }

    /// <summary>A session may end by itself meanwhile.</summary>
    private static void TrySignal(int id, int signal)
    {
        if (Directory.Exists($"/proc/{id}"))
        {
            Signals.TrySend(id, signal);
        }
    }

    /// <summary>The server first, so that it starts no more sessions.</summary>
    private List<int> Everyone()
    {
        var server = _process!.Id;
        TrySignal(server, Signals.Stop);
        var children = $"/proc/{server}/task/{server}/children";
        var sessions = File.Exists(children) ? File.ReadAllText(children).Split(' ', StringSplitOptions.RemoveEmptyEntries) : [];
        return [server, .. sessions.Select(id => int.Parse(id, CultureInfo.InvariantCulture))];
    }

    private async Task WaitUntilReadyAsync()
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                await ExecuteAsync("postgres", "SELECT 1");
                return;
            }
            catch (NpgsqlException) when (Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(30) && !_process!.HasExited)
            {
                await Task.Delay(20);
            }
            catch (NpgsqlException cause)
            {
                throw new InvalidOperationException($"PostgreSQL did not start:\n{_output}", cause);
            }
        }
    }

    /// <summary>Killed sessions are gone a moment after the server is, and may still leave a file behind.</summary>
    private async Task DeleteFolderAsync()
    {
        for (var tries = 0; Directory.Exists(_folder); tries++)
        {
            try
            {
                Directory.Delete(_folder, recursive: true);
            }
            catch (IOException) when (tries < 100)
            {
                await Task.Delay(20);
            }
        }
    }
}
