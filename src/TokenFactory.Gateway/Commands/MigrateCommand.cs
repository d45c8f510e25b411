using System.CommandLine;
using TokenFactory.Storage;
using TokenFactory.Storage.Sqlite;

namespace TokenFactory.Gateway.Commands;

/// <summary><c>gateway migrate</c>: brings the store's schema up to this version. Safe to repeat.</summary>
internal static class MigrateCommand
{
    public static Command Create()
    {
        var config = CommonOptions.Config();
        var data = CommonOptions.Data();
        var command = new Command("migrate", "Applies the store's migrations and prints what it did; safe to repeat.") { config, data };
        command.SetAction((parsed, cancel) => RunAsync(parsed.GetValue(data)!, cancel));
        return command;
    }

    private static async Task<int> RunAsync(DirectoryInfo data, CancellationToken cancel)
    {
        var services = new ServiceCollection();
        services.AddSqliteStorage(new SqliteStorageOptions { DataDirectory = data.FullName, InstanceId = Ids.New(TimeProvider.System) });
        await using var provider = services.BuildServiceProvider();
        try
        {
            var applied = await provider.GetRequiredService<StorageMigrator>().MigrateAsync(cancel);
            Console.WriteLine(applied.Count == 0 ? "The schema is up to date." : $"Applied {applied.Count}: {string.Join(", ", applied)}");
            return 0;
        }
        catch (StorageException reason)
        {
            await Console.Error.WriteLineAsync("gateway: " + reason.Message);
            return 1;
        }
    }
}
