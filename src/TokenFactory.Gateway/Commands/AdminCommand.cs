using System.CommandLine;
using TokenFactory.Gateway.Commands.Models;

namespace TokenFactory.Gateway.Commands;

/// <summary><c>gateway admin</c>: what an operator does to an installation, while it serves or before.</summary>
internal static class AdminCommand
{
    public static Command Create()
    {
        var command = new Command("admin", "Administer the installation");
        command.Subcommands.Add(KeysCommand.Create());
        command.Subcommands.Add(ExplainCommand.Create());
        command.Subcommands.Add(new Command("models", "What answers") { ModelAuditCommand.Create() });
        command.Subcommands.Add(DeadLettersCommand.Create());
        return command;
    }
}
