using TokenFactory.Administration.Configuration;
using TokenFactory.Storage;
using TokenFactory.Storage.Registry;

namespace TokenFactory.Gateway.Hosting;

/// <summary>
/// The configuration of an installation: its file, and what is registered in the store that the file names. One may refer to the
/// other, so neither can be judged alone.
/// </summary>
internal static class InstallationConfiguration
{
    /// <exception cref="StorageException">The store cannot be used.</exception>
    public static async Task<ConfigurationReading> ReadAsync(ConfigurationSource source, string dataDirectory, CancellationToken cancel)
    {
        if (ConfigurationReader.ReadStore(source.File, source.Environment) is { } settings)
        {
            await using var services = new ServiceCollection()
                .AddStore(settings.Store, settings.Ledger, dataDirectory, Ids.New(TimeProvider.System)).BuildServiceProvider();
            source.Registry.Take(await services.GetRequiredService<RegistryTables>().ReadIfThereAsync(cancel));
        }

        return source.Read();
    }

    /// <summary>For commands: the configuration, or null once what is wrong was told on standard error.</summary>
    public static async Task<GatewayConfiguration?> ReadOrSaySoAsync(ConfigurationSource source, string dataDirectory, CancellationToken cancel)
    {
        try
        {
            var reading = await ReadAsync(source, dataDirectory, cancel);
            if (reading.Configuration is null)
            {
                await Console.Error.WriteLineAsync(string.Join(Environment.NewLine, reading.Mistakes));
            }

            return reading.Configuration;
        }
        catch (StorageException e)
        {
            await Console.Error.WriteLineAsync("gateway: " + e.Message);
            return null;
        }
    }
}
