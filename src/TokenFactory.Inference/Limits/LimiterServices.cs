using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using TokenFactory.Inference.Limits.Local;
using TokenFactory.Inference.Limits.Redis;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Inference.Limits;

/// <summary>The limiter of one process, or the one that replicas share.</summary>
internal static class LimiterServices
{
    public static void AddLimiter(this IServiceCollection services, RedisLimiterOptions? redis)
    {
        services.AddSingleton<BudgetCounters>();
        if (redis is null)
        {
            services.AddSingleton<ILimiter, LocalLimiter>();
            return;
        }

        services.AddSingleton(provider => new RedisLimiter(
            redis,
            async (month, cancel) => new BudgetSums(await provider.GetRequiredService<IUsageLedger>().SpendSinceAsync(month, cancel)),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<RedisLimiter>>(),
            provider.GetRequiredService<IMeterFactory>()));
        services.AddSingleton<ILimiter>(provider => provider.GetRequiredService<RedisLimiter>());
        services.AddHostedService<RedisLimiterStart>();
    }
}
