using System.Diagnostics;
using System.Globalization;
using Npgsql;
using TokenFactory.TestKit.Processes;
using TokenFactory.TestKit.Servers;
using Xunit;

namespace TokenFactory.Gateway.EndToEnd.Faults.Matrix;

/// <summary>Faults with a promise of their own, beside what every round of the matrix compares.</summary>
[Collection(MatrixCollection.Name)]
public sealed class TroubleTests(MatrixSite site, ITestOutputHelper output)
{
    [Fact]
    public async Task P1_P4_a_full_disk_of_PostgreSQL_refuses_with_503_and_nothing_is_lost()
    {
        await using var disk = await SmallDisk.TryMountAsync(megabytes: 96);
        Assert.SkipWhen(disk is null, "This machine lets nobody mount a file system (it needs root), so there is no disk that could be filled alone.");
        await using var own = await FaultSite.OpenAsync(replicas: 2, postgres => DatabaseOnAsync(postgres, disk));
        for (var round = 0; round < MatrixRun.Rounds; round++)
        {
            await MatrixSite.RunAsync(own, MatrixRun.Seed + round, "the disk of PostgreSQL is full", scene => FullAsync(scene, disk), output);
        }
    }

    [Fact]
    public Task P2_P5_a_replica_whose_clock_is_off_settles_and_limits_as_the_others_do() => site.RunAsync("a clock is two hours off", async scene =>
    {
        var replica = await scene.Site.AddReplicaAsync(FakeTime.Environment(scene.Random.Next(2) == 0 ? "+2h" : "-2h"));
        await scene.Traffic.ServedByAllAsync(each: 10);

        // Longer than a lease: nobody may take a living replica for dead, whatever its clock says.
        await Task.Delay(TimeSpan.FromSeconds(3));
        var sent = scene.Traffic.Sent.Where(one => one.Replica == replica).ToList();
        Assert.All(sent.Where(one => one.Call.Whole), one => Assert.InRange(AgeOf(one.Call.Id!.Value).Duration(), TimeSpan.FromHours(1.5), TimeSpan.FromHours(2.5)));
        replica.InRotation = false;
        Assert.Equal(0, await replica.Gateway.StopAsync());
        Assert.DoesNotContain(await new LedgerBooks(scene.Site, scene.Book).SettlementsAsync(), one => one.Outcome == Storage.Ledger.Outcome.Orphaned);
        await scene.Site.RemoveAsync(replica);
    }, output);

    [Fact]
    public Task P2_an_open_transaction_holds_the_events_back_and_skips_none() => site.RunAsync("a transaction stays open", async scene =>
    {
        await using var connection = new NpgsqlConnection(scene.Site.Connection);
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var command = new NpgsqlCommand("SELECT pg_current_xact_id()::text", connection, transaction);
        var number = ulong.Parse((string)(await command.ExecuteScalarAsync())!, CultureInfo.InvariantCulture);
        await scene.Traffic.ServedByAllAsync(each: 10);
        await UntilAsync(async () => await LagAsync(scene) > 1, "no replica tells that the relay lags");

        var later = await new LedgerBooks(scene.Site, scene.Book).EventsAfterAsync(number);
        Assert.NotEmpty(later);
        Assert.Empty(later.Intersect(scene.Site.Receiver.Taken));
        await transaction.CommitAsync();
    }, output);

    [Fact]
    public Task P2_an_event_that_the_consumer_refuses_is_parked_and_all_others_pass_it() => site.RunAsync("an event is poison", async scene =>
    {
        Guid? poison = null;
        var gate = new Lock();
        scene.Site.Receiver.Answer = ids =>
        {
            lock (gate)
            {
                poison ??= ids[scene.Random.Next(ids.Count)];
                return Task.FromResult(ids.Contains(poison.Value) ? 400 : 204);
            }
        };
        var books = new LedgerBooks(scene.Site, scene.Book);
        await UntilAsync(async () => (await books.DeadLettersAsync()).Count > 0, "the event was not parked");
        await scene.Traffic.ServedByAllAsync(each: 10);
        Assert.Equal([poison!.Value], await books.DeadLettersAsync());
        scene.Site.Receiver.Answer = _ => Task.FromResult(204);
    }, output);

    [Fact]
    public Task P4_a_key_revoked_under_traffic_is_accepted_by_no_replica_soon_after() => site.RunAsync("a key is revoked", async scene =>
    {
        var key = await scene.Site.CommandAsync("admin", "keys", "create", "--tenant", "acme", "--project", scene.Book.Wide, "--name", $"other-{scene.Book.Round}");
        scene.Allowed.RefusesKey = true;
        scene.Traffic.OtherKey = key;
        foreach (var replica in scene.Site.Replicas)
        {
            await scene.Traffic.UntilAsync(one => one.Key == key && one.Replica == replica && one.Call.Whole, more: 10);
        }

        // A replica that had not heard of the new key yet refused it too.
        var asked = Stopwatch.GetTimestamp();
        await scene.Site.CommandAsync("admin", "keys", "revoke", key.Split('_')[1]);
        var revoked = Stopwatch.GetTimestamp();
        foreach (var replica in scene.Site.Replicas)
        {
            await scene.Traffic.UntilAsync(one => one.Key == key && one.Replica == replica && one.Call.Status == 401, more: 10);
        }

        var sent = scene.Traffic.Sent.Where(one => one.Key == key && one.At >= asked).ToList();
        var last = sent.Where(one => one.Call.Status == 200).Select(one => one.At).DefaultIfEmpty(asked).Max();
        output.WriteLine($"  the last call was accepted {Math.Max(0, Stopwatch.GetElapsedTime(revoked, Math.Max(revoked, last)).TotalMilliseconds):0} ms after the revocation");

        // Two seconds are the promise; the rest is for a machine that runs other tests beside this one.
        Assert.InRange(last, 0, revoked + (8 * Stopwatch.Frequency));
        foreach (var one in sent.Where(one => one.Call.Status == 401).GroupBy(one => one.Replica))
        {
            Assert.DoesNotContain(sent, other => other.Replica == one.Key && other.Call.Status == 200 && other.At > one.Min(refused => refused.EndedAt));
        }
    }, output);

    [Fact]
    public Task P2_P7_a_rolling_restart_loses_and_breaks_no_call() => site.RunAsync("the replicas are restarted one by one", async scene =>
    {
        foreach (var replica in scene.Site.Replicas)
        {
            var stopping = replica.Gateway.StopAsync();

            // A load balancer sees that it is unready, while it still serves.
            while (await replica.IsReadyAsync())
            {
                await Task.Delay(50);
            }

            replica.InRotation = false;
            Assert.Equal(0, await stopping);
            await replica.Gateway.StartAgainAsync();
            replica.InRotation = true;
            await scene.Traffic.ServedByAllAsync(each: 5);
        }

        Assert.DoesNotContain(scene.Traffic.Sent, one => one.Call is { Status: 0, HungUp: false });
    }, output);

    /// <summary>On a file system of its own: where that is full, the log and the rest of the server's disk are not.</summary>
    private static async Task<string> DatabaseOnAsync(PostgresServer postgres, SmallDisk disk)
    {
        var folder = Directory.CreateDirectory(System.IO.Path.Combine(disk.Path, "tablespace")).FullName;
        using (var chown = Process.Start("chown", ["postgres", folder]))
        {
            await chown.WaitForExitAsync();
        }

        await postgres.ExecuteAsync("postgres", $"CREATE TABLESPACE small LOCATION '{folder}'");
        await postgres.ExecuteAsync("postgres", "CREATE DATABASE small TABLESPACE small");
        return "small";
    }

    private static async Task FullAsync(Scene scene, SmallDisk disk)
    {
        disk.Fill();
        foreach (var replica in scene.Site.Replicas)
        {
            await scene.Traffic.UntilAsync(one => one.Replica == replica && one.Call is { Status: 503, ErrorCode: "usage_not_recorded" }, more: 5);
        }

        disk.Free();
    }

    /// <summary>What an operator's alert sees.</summary>
    private static async Task<double> LagAsync(Scene scene)
    {
        var most = 0.0;
        foreach (var replica in scene.Site.Replicas)
        {
            using var client = replica.NewClient("none");
            var lines = (await client.GetStringAsync(new Uri("/metrics", UriKind.Relative))).Split('\n');
            most = Math.Max(most, lines.Where(line => line.StartsWith("tokenfactory_relay_lag", StringComparison.Ordinal))
                .Select(line => double.Parse(line.Split(' ')[^1], CultureInfo.InvariantCulture)).DefaultIfEmpty().Max());
        }

        return most;
    }

    /// <summary>How long ago an id was made, by the clock that made it.</summary>
    private static TimeSpan AgeOf(Guid id)
    {
        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        var made = DateTimeOffset.FromUnixTimeMilliseconds((long)(System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(bytes) >> 16));
        return DateTimeOffset.UtcNow - made;
    }

    private static async Task UntilAsync(Func<Task<bool>> holds, string otherwise)
    {
        for (var look = 0; !await holds(); look++)
        {
            Assert.True(look < 600, otherwise);
            await Task.Delay(100);
        }
    }
}
