using Microsoft.Extensions.DependencyInjection.Extensions;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Storage.Journal;

namespace TokenFactory.Gateway.Health;

internal static class HealthServices
{
    /// <summary>Needs a <see cref="SnapshotStore"/> and an <see cref="IJournal"/>. A further <see cref="ReadinessCheck"/>
    /// that is registered counts too.</summary>
    public static IServiceCollection AddHealth(this IServiceCollection services, ReadinessOptions options)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(options);
        services.AddSingleton(provider =>
        {
            var snapshots = provider.GetRequiredService<SnapshotStore>();
            return new ReadinessCheck("snapshot", () => snapshots.IsFresh);
        });
        services.AddSingleton(provider =>
        {
            var journal = provider.GetRequiredService<IJournal>();
            return new ReadinessCheck("journal", () => journal.IsWritable);
        });
        services.AddSingleton<Readiness>();
        services.AddHostedService<ReadinessWatch>();
        return services;
    }
}
