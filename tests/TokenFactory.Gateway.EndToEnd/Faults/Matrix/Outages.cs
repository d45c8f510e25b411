using System.Diagnostics;
using TokenFactory.TestKit.Servers;

namespace TokenFactory.Gateway.EndToEnd.Faults.Matrix;

/// <summary>The faults after which everything goes on by itself, by name.</summary>
internal static class Outages
{
    public static IReadOnlyDictionary<string, Func<Scene, Task>> All { get; } = new Dictionary<string, Func<Scene, Task>>
    {
        ["a gateway is killed"] = GatewayKilledAsync,
        ["PostgreSQL is killed and started again"] = PostgresKilledAsync,
        ["a gateway is frozen"] = GatewayFrozenAsync,
        ["PostgreSQL is frozen"] = PostgresFrozenAsync,
        ["Redis is frozen"] = RedisFrozenAsync,
        ["the connections to PostgreSQL are cut"] = scene => CutAsync(scene, static replica => replica.Database),
        ["PostgreSQL is not heard"] = scene => SilentAsync(scene, static replica => replica.Database.ToClient),
        ["PostgreSQL does not hear"] = scene => SilentAsync(scene, static replica => replica.Database.ToServer),
        ["one replica has lost PostgreSQL"] = OneWithoutPostgresAsync,
        ["the connections to Redis are cut"] = scene => CutAsync(scene, static replica => replica.Limits),
        ["Redis is not heard"] = scene => SilentAsync(scene, static replica => replica.Limits.ToClient),
        ["Redis does not hear"] = scene => SilentAsync(scene, static replica => replica.Limits.ToServer),
        ["the replies to commits are lost"] = CommitRepliesLostAsync,
        ["the connections to Redis are forgotten"] = RedisForgottenAsync,
        ["Redis is wiped"] = RedisWipedAsync,
        ["Redis forgets its scripts"] = ScriptsForgottenAsync,
        ["Redis is killed and started again"] = RedisKilledAsync,
    };

    private static async Task GatewayKilledAsync(Scene scene)
    {
        (scene.Allowed.BreaksConnections, scene.Allowed.LeavesHolds) = (true, true);
        var replica = scene.Any();
        await scene.MomentAsync(0, 300);
        await replica.Gateway.KillAsync();
        await scene.MomentAsync(300, 1000);
        await replica.Gateway.StartAgainAsync();
    }

    private static async Task PostgresKilledAsync(Scene scene)
    {
        await scene.MomentAsync(0, 300);
        await scene.Site.Postgres.KillAsync();
        await scene.MomentAsync(300, 1500);
        await scene.Site.Postgres.StartAgainAsync();
    }

    private static async Task GatewayFrozenAsync(Scene scene)
    {
        var replica = scene.Any();
        await scene.MomentAsync(0, 300);
        await replica.Gateway.PauseAsync();
        await Task.Delay(scene.Frozen);
        await replica.Gateway.ResumeAsync();
    }

    private static async Task PostgresFrozenAsync(Scene scene)
    {
        scene.Site.Postgres.Pause();
        await Task.Delay(scene.Frozen);
        scene.Site.Postgres.Resume();
    }

    private static async Task RedisFrozenAsync(Scene scene)
    {
        scene.Site.Redis.Freeze();
        await Task.Delay(scene.Frozen / 2);
        scene.Site.Redis.Thaw();
    }

    private static async Task CutAsync(Scene scene, Func<Replica, TcpProxy> line)
    {
        var lines = scene.Site.Replicas.Select(line).ToList();
        lines.ForEach(one => one.Cut());
        await scene.MomentAsync(500, 1500);
        lines.ForEach(one => one.Heal());
    }

    private static async Task SilentAsync(Scene scene, Func<Replica, ProxyFlow> direction)
    {
        var directions = scene.Site.Replicas.Select(direction).ToList();
        directions.ForEach(one => one.Hold());
        await Task.Delay(scene.Frozen);
        directions.ForEach(one => one.Pass());
    }

    /// <summary>Longer than its lease: the other one takes it for dead, and settles what it has open.</summary>
    private static async Task OneWithoutPostgresAsync(Scene scene)
    {
        var line = scene.Any().Database;
        line.Hold();
        await Task.Delay(scene.Frozen * 1.5);
        line.Heal();
    }

    private static async Task CommitRepliesLostAsync(Scene scene)
    {
        foreach (var replica in scene.Site.Replicas)
        {
            await replica.Database.LoseReplyTo("INSERT INTO admissions").WaitAsync(TimeSpan.FromSeconds(60));
            await replica.Database.LoseReplyTo("INSERT INTO settlements").WaitAsync(TimeSpan.FromSeconds(60));
        }
    }

    /// <summary>Until every replica has given up what it had, and then what was sent through it arrives.</summary>
    private static async Task RedisForgottenAsync(Scene scene)
    {
        foreach (var replica in scene.Site.Replicas)
        {
            replica.Limits.Forget();
        }

        await scene.Traffic.ServedByAllAsync(each: 10);
        foreach (var replica in scene.Site.Replicas)
        {
            replica.Limits.Deliver();
        }
    }

    private static async Task RedisWipedAsync(Scene scene)
    {
        var from = Stopwatch.GetTimestamp();
        await scene.Site.Redis.FlushAsync();
        await ReloadedAsync(scene, from);
    }

    private static async Task ScriptsForgottenAsync(Scene scene)
    {
        for (var time = 0; time < 3; time++)
        {
            await scene.Site.Redis.FlushScriptsAsync();
            await scene.Traffic.ServedByAllAsync(each: 3);
        }
    }

    private static async Task RedisKilledAsync(Scene scene)
    {
        var from = Stopwatch.GetTimestamp();
        await scene.Site.Redis.KillAsync();
        await scene.MomentAsync(300, 1500);
        await scene.Site.Redis.StartAgainAsync();
        await ReloadedAsync(scene, from);
    }

    /// <summary>Until the first takes have read both budgets from the ledger.</summary>
    private static async Task ReloadedAsync(Scene scene, long from)
    {
        var books = new LedgerBooks(scene.Site, scene.Book);
        for (var look = 0; await books.LevelAsync(scene.Book.Wide) is null || await books.LevelAsync(scene.Book.Tight) is null; look++)
        {
            Xunit.Assert.True(look < 1200, "a minute after Redis was back, its budgets were not read from the ledger");
            await Task.Delay(50);
        }

        scene.Allowed.Forgot(from, Stopwatch.GetTimestamp());
    }
}
