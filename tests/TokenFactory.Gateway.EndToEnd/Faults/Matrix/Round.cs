namespace TokenFactory.Gateway.EndToEnd.Faults.Matrix;

/// <summary>One round: traffic, a fault in the middle of it, more traffic when all is well again, silence, and the comparison.</summary>
internal static class Round
{
    public static async Task<Tally> RunAsync(FaultSite site, int seed, TimeSpan frozen, Func<Scene, Task> fault)
    {
        var book = site.NextBook();
        var traffic = new Traffic(site, book, seed);
        var allowed = new Allowances();
        traffic.Start();
        try
        {
            await traffic.ServedByAllAsync(each: 10);
            await fault(new Scene(site, book, traffic, allowed, new Random(seed), frozen));
            await traffic.ServedByAllAsync(each: 10);
        }
        finally
        {
            await traffic.StopAsync();
        }

        var checker = new Checker(site, book, traffic.Sent, allowed);
        await checker.QuiesceAsync();
        return await checker.CheckAsync();
    }
}
