using System.CommandLine;
using TokenFactory.Gateway.Commands.Audit;
using TokenFactory.Gateway.Commands.Requests;
using TokenFactory.Gateway.Commands.Usage;

namespace TokenFactory.Gateway.Commands;

/// <summary>The command line: <c>gateway [command] [options]</c>; without a command, <c>serve</c>.</summary>
internal static class GatewayCommand
{
    public static async Task<int> RunAsync(string[] args)
    {
        var root = new RootCommand("Token Factory Gateway: a gateway for language models that meters, limits and proves.")
        {
            ServeCommand.Create(),
            MigrateCommand.Create(),
            AdminCommand.Create(),
            UsageCommand.Create(),
            RequestsCommand.Create(),
            AuditCommand.Create(),
            PolicyCommand.Create(),
            TokensCommand.Create(),
            VersionCommand.Create(),
        };

        // Left to itself the library ends the process two seconds after SIGTERM, in the middle of whatever drains.
        var patient = new InvocationConfiguration { ProcessTerminationTimeout = Timeout.InfiniteTimeSpan };
        return await root.Parse(WithDefault(args, root)).InvokeAsync(patient);
    }

    // Options alone are options of serve; what the root itself understands stays the root's.
    private static string[] WithDefault(string[] args, RootCommand root)
    {
        var isRoots = args.Length > 0
            && (!args[0].StartsWith('-') || root.Options.Any(o => o.Name == args[0] || o.Aliases.Contains(args[0])));
        return isRoots ? args : ["serve", .. args];
    }
}
