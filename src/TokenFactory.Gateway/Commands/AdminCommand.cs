using System.CommandLine;
using TokenFactory.Gateway.Commands.Registration;
using TokenFactory.Gateway.Commands.Secrets;

namespace TokenFactory.Gateway.Commands;

/// <summary><c>gateway admin</c>: what an operator does to an installation, while it serves or before.</summary>
internal static class AdminCommand
{
    public static Command Create()
    {
        var command = new Command("admin", "Administer the installation");
        command.Subcommands.Add(KeysCommand.Create());
        foreach (var registry in RegistryCommands.Create())
        {
            command.Subcommands.Add(registry);
        }

        command.Subcommands.Add(ExplainCommand.Create());
        command.Subcommands.Add(DeadLettersCommand.Create());
        command.Subcommands.Add(SecretsCommand.Create());
        return command;
    }
}
