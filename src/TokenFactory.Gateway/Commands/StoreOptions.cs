using System.CommandLine;

namespace TokenFactory.Gateway.Commands;

/// <summary>Which installation a command is about; the same options and defaults as <c>serve</c>.</summary>
internal sealed class StoreOptions
{
    public Option<string> Data { get; } = new("--data") { Description = "The data directory", DefaultValueFactory = _ => "data" };

    public Option<string?> Config { get; } = new("--config") { Description = "The configuration file" };

    public void AddTo(Command command)
    {
        command.Options.Add(Data);
        command.Options.Add(Config);
    }
}
