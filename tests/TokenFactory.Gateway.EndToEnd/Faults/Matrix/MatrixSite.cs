using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Faults.Matrix;

/// <summary>One site for all faults, one after the other; after a failure the next fault gets a new one.</summary>
public sealed class MatrixSite : IAsyncLifetime
{
    private FaultSite? _site;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (_site is { } site)
        {
            await site.DisposeAsync();
        }
    }

    internal async Task RunAsync(string fault, Func<Scene, Task> happens, ITestOutputHelper output)
    {
        for (var round = 0; round < MatrixRun.Rounds; round++)
        {
            if (_site is { HasRoundsLeft: false } full)
            {
                _site = null;
                await full.DisposeAsync();
            }

            var site = _site ??= await FaultSite.OpenAsync(replicas: 2);
            try
            {
                await RunAsync(site, MatrixRun.Seed + round, fault, happens, output);
            }
            catch
            {
                // What it left behind is not the next fault's concern.
                _site = null;
                await site.DisposeAsync();
                throw;
            }
        }
    }

    /// <summary>One round on a site of the test's own.</summary>
    internal static async Task RunAsync(FaultSite site, int seed, string fault, Func<Scene, Task> happens, ITestOutputHelper output)
    {
        output.WriteLine($"{fault}, GATEWAY_FAULT_SEED={seed}");
        output.WriteLine($"  {await Round.RunAsync(site, seed, MatrixRun.Frozen, happens)}");
    }
}
