using System.Collections.Concurrent;
using System.Diagnostics;
using TokenFactory.Storage.Journal;
using TokenFactory.TestKit.Contracts;
using TokenFactory.TestKit.Servers;
using Xunit;

namespace TokenFactory.Storage.Tests.Postgres;

/// <summary>On a server of their own, which they hurt.</summary>
public sealed class PostgresFaultTests(ITestOutputHelper output)
{
    [Fact]
    public async Task P1_A_server_killed_under_load_loses_nothing_acknowledged()
    {
        await using var server = await PostgresServer.StartAsync();
        await using var store = await PostgresUnderTest.OpenAsync(server);
        var acknowledged = new ConcurrentDictionary<Guid, bool>();
        using var stop = new CancellationTokenSource();
        var callers = Enumerable.Range(0, 32).Select(_ => CallAsync(store, acknowledged, stop.Token)).ToArray();
        await UntilAsync(() => acknowledged.Count > 1000);

        await server.KillAsync();
        await UntilAsync(() => !store.Journal.IsWritable);
        var before = acknowledged.Count;
        await server.StartAgainAsync();
        await UntilAsync(() => acknowledged.Count > before + 200);
        await stop.CancelAsync();
        await Task.WhenAll(callers);

        var events = (await store.OutboxAsync()).Select(message => message.EventId).ToList();
        output.WriteLine($"{acknowledged.Count} acknowledged, {before} before the server was killed, {events.Count} events");
        Assert.Equal(events.Count, events.Distinct().Count());
        Assert.Empty(acknowledged.Keys.Except(events));
        Assert.Equal(events.Count, await store.CountAsync("settlements"));
    }

    [Fact]
    public async Task P1_A_frozen_server_is_given_up_at_the_journals_own_deadline_and_nothing_is_doubled_when_it_thaws()
    {
        await using var server = await PostgresServer.StartAsync();
        await using var store = await PostgresUnderTest.OpenAsync(server);
        await store.SettleAsync(1);

        server.Pause();
        var started = Stopwatch.GetTimestamp();
        var waiting = Enumerable.Range(0, 20).Select(_ => SomeRequest.Admission(store.InstanceId)).ToArray();
        var frozen = waiting.Select(store.Journal.AdmitAsync).ToArray();
        foreach (var task in frozen)
        {
            await Assert.ThrowsAsync<JournalUnavailableException>(() => task.WaitAsync(TimeSpan.FromSeconds(20)));
        }

        var took = Stopwatch.GetElapsedTime(started);
        var refused = store.Journal.AdmitAsync(SomeRequest.Admission(store.InstanceId));
        Assert.True(refused.IsFaulted);
        output.WriteLine($"given up after {took.TotalMilliseconds:0} ms");
        Assert.True(took < TimeSpan.FromSeconds(10), $"{took}");

        server.Resume();
        await UntilAsync(() => store.Journal.IsWritable);
        await Task.WhenAll(waiting.Select(store.Journal.AdmitAsync));
        await Task.WhenAll(waiting.Select(one => store.Journal.SettleOnceAsync(SomeRequest.Settlement(one))));
        Assert.Equal(20, await store.CountAsync("admissions"));
        Assert.Equal(21, await store.CountAsync("outbox"));
    }

    [Fact]
    public async Task P2_A_commit_whose_answer_is_lost_is_sent_again_and_written_once()
    {
        await using var server = await PostgresServer.StartAsync();
        await using var store = await PostgresUnderTest.OpenAsync(server);
        var admissions = Enumerable.Range(0, 50).Select(_ => SomeRequest.Admission(store.InstanceId)).ToArray();
        var work = Task.WhenAll(admissions.Select(async one =>
        {
            await store.Journal.AdmitAsync(one);
            await store.Journal.SettleOnceAsync(SomeRequest.Settlement(one));
        }));

        // The session dies while its batches are under way: some of them are committed and nobody is told. Once: what meets
        // two failures in a row is refused, as it should be.
        await server.ExecuteAsync(store.Database, $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{store.Database}' AND pid <> pg_backend_pid()");

        await work.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal(50, await store.CountAsync("admissions"));
        Assert.Equal(50, await store.CountAsync("audit_records"));
        Assert.Equal(50, await store.CountAsync("outbox"));
    }

    private static async Task CallAsync(PostgresUnderTest store, ConcurrentDictionary<Guid, bool> acknowledged, CancellationToken stop)
    {
        await Task.Yield();
        while (!stop.IsCancellationRequested)
        {
            var admission = SomeRequest.Admission(store.InstanceId);
            try
            {
                await store.Journal.AdmitAsync(admission);
                await store.Journal.SettleOnceAsync(SomeRequest.Settlement(admission));
                acknowledged[admission.RequestId] = true;
            }
            catch (JournalUnavailableException)
            {
                await Task.Delay(20, CancellationToken.None);
            }
        }
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        var started = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(60));
            await Task.Delay(10);
        }
    }
}
