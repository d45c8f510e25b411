using Microsoft.Extensions.DependencyInjection;
using TokenFactory.Storage.Journal;
using TokenFactory.TestKit.Contracts;
using Xunit;

namespace TokenFactory.Storage.Tests.Postgres;

public sealed class PostgresInstanceTests
{
    [Fact]
    public async Task P2_A_living_instances_open_requests_are_left_to_it()
    {
        await using var one = await PostgresUnderTest.OpenAsync(lease: TimeSpan.FromSeconds(30));
        await using var other = await PostgresUnderTest.OpenAsync(one.Server, one.Database, lease: TimeSpan.FromSeconds(30));
        await one.Journal.AdmitAsync(SomeRequest.Admission(one.InstanceId));

        Assert.Equal(0, await other.Orphans.SettleAsync());
    }

    [Fact]
    public async Task P2_After_an_outage_that_outlasted_every_lease_the_living_get_time_to_say_so()
    {
        var lease = TimeSpan.FromSeconds(1);
        await using var one = await PostgresUnderTest.OpenAsync(lease: lease);
        await using var other = await PostgresUnderTest.OpenAsync(one.Server, one.Database, lease: lease);
        await one.Journal.AdmitAsync(SomeRequest.Admission(one.InstanceId));
        await one.ExecuteAsync("UPDATE instances SET heartbeat_at = now() - interval '1 hour'");

        Assert.Equal(0, await other.Orphans.SettleAsync());
        await Task.Delay(lease + TimeSpan.FromMilliseconds(200));
        Assert.Equal(1, await other.Orphans.SettleAsync());
    }

    [Fact]
    public async Task P2_Replicas_that_settle_a_dead_instance_at_once_close_each_request_once()
    {
        await using var dead = await PostgresUnderTest.OpenAsync();
        var open = Enumerable.Range(0, 700).Select(_ => SomeRequest.Admission(dead.InstanceId)).ToArray();
        await Task.WhenAll(open.Select(dead.Journal.AdmitAsync));
        await using var one = await PostgresUnderTest.OpenAsync(dead.Server, dead.Database);
        await using var other = await PostgresUnderTest.OpenAsync(dead.Server, dead.Database);

        await Task.WhenAll(one.Orphans.SettleAsync(), other.Orphans.SettleAsync());

        Assert.Equal(700, await dead.CountAsync("settlements"));
        Assert.Equal(700, (await dead.OutboxAsync()).Select(message => message.EventId).Distinct().Count());
        Assert.Equal(700, await dead.CountAsync("outbox"));
    }

    [Fact]
    public async Task P2_A_write_that_comes_through_after_its_instance_was_closed_is_found_and_settled()
    {
        // A lease so long that the write says no sign of life beside it.
        await using var stuck = await PostgresUnderTest.OpenAsync(lease: TimeSpan.FromHours(1));
        await using var other = await PostgresUnderTest.OpenAsync(stuck.Server, stuck.Database);
        await other.Orphans.SettleAsync();
        await other.ExecuteAsync("UPDATE instances SET heartbeat_at = now() - interval '1 day', closed_at = now()");

        await stuck.Journal.AdmitAsync(SomeRequest.Admission(stuck.InstanceId));

        Assert.Equal(1, await other.Orphans.SettleAsync());
    }

    [Fact]
    public async Task P2_An_instance_is_not_closed_over_what_came_through_in_the_meantime()
    {
        await using var dead = await PostgresUnderTest.OpenAsync();
        await using var other = await PostgresUnderTest.OpenAsync(dead.Server, dead.Database);
        await dead.Journal.AdmitAsync(SomeRequest.Admission(dead.InstanceId));
        var finder = other.Services.GetRequiredService<IOpenAdmissions>();

        await finder.CloseAsync(dead.InstanceId);
        Assert.Equal(0, await dead.CountAsync("instances WHERE closed_at IS NOT NULL"));

        Assert.Equal(1, await other.Orphans.SettleAsync());
        await finder.CloseAsync(dead.InstanceId);
        Assert.Equal(1, await dead.CountAsync("instances WHERE closed_at IS NOT NULL"));
    }

    [Fact]
    public async Task An_instance_that_was_taken_for_dead_is_alive_again_with_its_next_write()
    {
        await using var sleeper = await PostgresUnderTest.OpenAsync();
        await using var other = await PostgresUnderTest.OpenAsync(sleeper.Server, sleeper.Database);
        await other.Orphans.SettleAsync();
        Assert.Equal(1, await sleeper.CountAsync($"instances WHERE instance_id = '{sleeper.InstanceId}' AND closed_at IS NOT NULL"));

        await sleeper.Journal.AdmitAsync(SomeRequest.Admission(sleeper.InstanceId));

        Assert.Equal(0, await sleeper.CountAsync("instances WHERE closed_at IS NOT NULL"));
        Assert.Equal(1, await other.Orphans.SettleAsync());
    }
}
