using System.CommandLine;

namespace TokenFactory.Gateway.Commands;

/// <summary>Options that several commands share, so that they are spelt and described once.</summary>
internal static class CommonOptions
{
    public static Option<FileInfo?> Config() => new("--config")
    {
        Description = "The YAML configuration. Without it, defaults: SQLite, in-process limits, the built-in loopback model.",
        HelpName = "FILE",
    };

    public static Option<DirectoryInfo> Data() => new("--data")
    {
        Description = "The data directory of the embedded store.",
        HelpName = "DIR",
        DefaultValueFactory = _ => new DirectoryInfo("data"),
    };
}
