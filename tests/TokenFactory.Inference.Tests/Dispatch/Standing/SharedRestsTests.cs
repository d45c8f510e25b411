using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using TokenFactory.Inference.Dispatch.Standing;
using TokenFactory.Inference.Limits.Redis;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.Tests.Limits;
using TokenFactory.Storage;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Redis;
using Xunit;

namespace TokenFactory.Inference.Tests.Dispatch.Standing;

/// <summary>Two replicas on one Redis: what one was told by a backend, the other knows.</summary>
public sealed class SharedRestsTests(RedisFixture redis) : IClassFixture<RedisFixture>, IAsyncDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();

    public ValueTask DisposeAsync() => _services.DisposeAsync();

    [Fact]
    public async Task Quota_aware_a_quota_that_one_replica_spent_is_spent_for_the_other()
    {
        await redis.Server.SendAsync("FLUSHALL");
        var (here, there) = (New(), New());
        using var hither = Shared(here);
        using var thither = Shared(there);
        var deployment = Some("vendor");
        here.Of(deployment).Rest(Skip.QuotaSpent, TimeSpan.FromSeconds(30));
        Assert.Null(there.Of(deployment).PassedOver);

        await hither.ExchangeAsync(default);
        await thither.ExchangeAsync(default);

        var heard = Assert.NotNull(there.Of(deployment).PassedOver);
        Assert.Equal(Skip.QuotaSpent, heard.Reason);
        Assert.InRange(heard.Left.TotalSeconds, 1, 30);

        // What was heard is not told on: nobody keeps a rest alive by repeating it.
        Assert.Empty(there.TakeLearnt());
        Assert.Null(there.Of(Some("other")).PassedOver);
    }

    [Fact]
    public async Task A_rest_that_ended_is_forgotten_by_all()
    {
        await redis.Server.SendAsync("FLUSHALL");
        var (here, there) = (New(), New());
        using var hither = Shared(here);
        using var thither = Shared(there);
        var deployment = Some("quick");
        await hither.ExchangeAsync(default);
        here.Of(deployment).Rest(Skip.Overloaded, TimeSpan.FromSeconds(3));
        await hither.ExchangeAsync(default);
        Assert.Equal(":1", await redis.Server.SendAsync("EXISTS", RedisKeys.Rests));

        for (var tries = 0; await redis.Server.SendAsync("EXISTS", RedisKeys.Rests) != ":0"; tries++)
        {
            Assert.True(tries < 300, "it is kept still");
            await Task.Delay(50);
            await thither.ExchangeAsync(default);
        }
    }

    [Fact]
    public async Task An_open_circuit_is_each_replicas_own_view()
    {
        var here = New();
        var standing = here.Of(Some("failing") with { Circuit = new Circuit { MinimumAttempts = 2 } });
        for (var n = 0; n < 2; n++)
        {
            await standing.TryAsync(static failure => Task.FromResult<Failure?>(failure), new Failure(Storage.Ledger.Outcome.Failed, GatewayError.BackendFailed, TookPrompt: true));
        }

        Assert.Equal(Skip.CircuitOpen, standing.PassedOver?.Reason);
        Assert.Empty(here.TakeLearnt());
    }

    [Fact]
    public void Settings_that_changed_begin_anew()
    {
        var here = New();
        here.Of(Some("d")).Rest(Skip.QuotaSpent, TimeSpan.FromSeconds(30));

        Assert.NotNull(here.Of(Some("d")).PassedOver);
        Assert.Null(here.Of(Some("d") with { MaxRest = TimeSpan.Zero }).PassedOver);
    }

    private Standings New() => new(new GatewayMetrics(_services.GetRequiredService<IMeterFactory>()), TimeProvider.System, NullLogger<Standings>.Instance);

    private SharedRests Shared(Standings standings)
    {
        var options = new RedisLimiterOptions { Connection = RedisConnection.Parse(redis.Server.Url).Connection!, InstanceId = Ids.New(TimeProvider.System) };
        return new SharedRests(standings, options, TimeProvider.System, NullLogger<SharedRests>.Instance);
    }

    private static Deployment Some(string name) => new() { Name = name, Provider = new Provider("p", ProviderKind.OpenAi, null, null), Endpoints = [] };
}
