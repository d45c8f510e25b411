using System.Diagnostics;

namespace TokenFactory.TestKit.Processes;

/// <summary>A built assembly started as a process of its own, by the runtime that runs the tests.</summary>
internal static class DotnetProgram
{
    /// <summary>The runtime lies in &lt;root&gt;/shared/Microsoft.NETCore.App/&lt;version&gt;/, its host in &lt;root&gt;.</summary>
    private static readonly string _host = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "../../../dotnet"));

    public static ProcessStartInfo Describe(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?> environment)
    {
        if (!File.Exists(program))
        {
            throw new FileNotFoundException($"There is no {program}: the test project must reference the project that builds it.");
        }

        var start = new ProcessStartInfo(_host, [program, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        // Would move the process off the address the test asked for.
        start.Environment.Remove("ASPNETCORE_URLS");
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
            if (value is null)
            {
                start.Environment.Remove(name);
            }
        }

        return start;
    }
}
