using System.CommandLine;
using TokenFactory.Administration.Configuration;
using TokenFactory.Gateway.Hosting;
using TokenFactory.Storage;

namespace TokenFactory.Gateway.Commands;

/// <summary><c>gateway migrate</c>: brings the store's schema up to this version. Safe to repeat.</summary>
internal static class MigrateCommand
{
    public static Command Create()
    {
        var config = CommonOptions.Config();
        var data = CommonOptions.Data();

        // Before or after the subcommand's name, they mean the same.
        (config.Recursive, data.Recursive) = (true, true);
        var command = new Command("migrate", "Applies the store's migrations and prints what it did; safe to repeat.")
        {
            config, data, TransferCommands.CreateExport(config, data), TransferCommands.CreateImport(config, data),
        };
        command.SetAction((parsed, cancel) => RunAsync(parsed.GetValue(config), parsed.GetValue(data)!, cancel));
        return command;
    }

    private static async Task<int> RunAsync(FileInfo? config, DirectoryInfo data, CancellationToken cancel)
    {
        var source = new ConfigurationSource(config?.FullName, OpenedStore.EnvironmentVariables());
        if (await InstallationConfiguration.ReadOrSaySoAsync(source, data.FullName, cancel) is not { } configuration)
        {
            return 1;
        }

        await using var provider = new ServiceCollection().AddStore(configuration, data.FullName, Ids.New(TimeProvider.System)).BuildServiceProvider();
        try
        {
            var applied = await provider.GetRequiredService<StorageMigrator>().MigrateAsync(cancel);
            Console.WriteLine(applied.Count == 0 ? "The schema is up to date." : $"Applied {applied.Count}: {string.Join(", ", applied)}");
            return 0;
        }
        catch (StorageException reason)
        {
            return await OpenedStore.RefuseAsync("gateway: " + reason.Message);
        }
    }
}
