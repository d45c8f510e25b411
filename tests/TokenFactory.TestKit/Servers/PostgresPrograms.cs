using System.Diagnostics;

namespace TokenFactory.TestKit.Servers;

/// <summary>The system's PostgreSQL programs, run as a user it accepts: it refuses to be root's.</summary>
internal static class PostgresPrograms
{
    private const string User = "postgres";

    private static readonly string _folder = Find();

    public static ProcessStartInfo Describe(string program, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, WorkingDirectory = "/" };
        string[] line = [.. AsUser(), Path.Combine(_folder, program), .. arguments];
        start.FileName = line[0];
        foreach (var argument in line.Skip(1))
        {
            start.ArgumentList.Add(argument);
        }

        return start;
    }

    /// <summary>Runs a program to its end.</summary>
    public static async Task<string> RunAsync(string program, params IEnumerable<string> arguments)
    {
        using var process = Process.Start(Describe(program, arguments))!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        return process.ExitCode == 0 ? await output : throw new InvalidOperationException($"{program} ended with {process.ExitCode}: {await error}");
    }

    /// <summary>A new folder under /tmp that belongs to the server's user.</summary>
    public static async Task<string> NewFolderAsync()
    {
        var folder = Directory.CreateTempSubdirectory("tokenfactory-postgres-").FullName;
        if (Environment.IsPrivilegedProcess)
        {
            using var chown = Process.Start("chown", [User, folder]);
            await chown.WaitForExitAsync();
        }

        return folder;
    }

    /// <summary>setpriv becomes the program it starts, so the process id is the server's own.</summary>
    private static string[] AsUser() => Environment.IsPrivilegedProcess ? ["setpriv", $"--reuid={User}", $"--regid={User}", "--clear-groups", "--"] : [];

    private static string Find()
    {
        var versions = Directory.Exists("/usr/lib/postgresql") ? Directory.GetDirectories("/usr/lib/postgresql") : [];
        var newest = versions.OrderByDescending(path => int.TryParse(Path.GetFileName(path), out var version) ? version : 0).FirstOrDefault();
        return newest is null
            ? throw new InvalidOperationException("PostgreSQL is not installed; install the system's package postgresql (./test does).")
            : Path.Combine(newest, "bin");
    }
}
