using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using TokenFactory.Administration.Configuration;
using TokenFactory.Administration.Configuration.Settings;
using TokenFactory.Administration.Iam;
using TokenFactory.Administration.Iam.Platform;
using TokenFactory.Administration.Registration;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Storage;
using TokenFactory.Storage.Iam;

namespace TokenFactory.Administration;

/// <summary>The doors of this project.</summary>
public static class AdministrationServices
{
    /// <summary>What commands need: <see cref="EmbeddedIam"/>, <see cref="FirstKey"/> and the <see cref="ConfigurationState"/>. The storage is registered beside it.</summary>
    public static IServiceCollection AddEmbeddedIam(this IServiceCollection services, GatewayConfiguration configuration, string dataDirectory)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(new ConfigurationState(configuration));
        services.AddSingleton(new PepperRing(dataDirectory));
        services.AddSingleton(provider => new EmbeddedIam(
            provider.GetRequiredService<IDbContextFactory<GatewayDbContext>>(),
            provider.GetRequiredService<ConfigurationState>(),
            provider.GetRequiredService<PepperRing>(),
            provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => new FirstKey(
            provider.GetRequiredService<IDbContextFactory<GatewayDbContext>>(),
            provider.GetRequiredService<ConfigurationState>(),
            provider.GetRequiredService<EmbeddedIam>(),
            provider.GetRequiredService<TimeProvider>()));
        return services;
    }

    /// <summary>What <c>serve</c> needs on top: the <see cref="SnapshotStore"/>, its source, and the watcher of the configuration.</summary>
    /// <param name="configuration">What <paramref name="source"/> gave at the start.</param>
    public static IServiceCollection AddAdministration(
        this IServiceCollection services, GatewayConfiguration configuration, ConfigurationSource source, string dataDirectory)
    {
        services.AddEmbeddedIam(configuration, dataDirectory);
        services.AddSingleton(provider => new SnapshotStore(provider.GetRequiredService<TimeProvider>(), configuration.Iam.MaxStaleness));
        if (configuration.Iam.Platform is { } platform)
        {
            services.AddPlatformSource(platform);
        }
        else
        {
            services.AddEmbeddedSource();
        }

        services.AddSingleton(source);
        services.AddMetrics();
        services.AddSingleton(source.Registry);
        services.AddSingleton<RegistryMetrics>();
        services.AddSingleton<RegistryFollower>();
        services.AddHostedService<ConfigurationWatcher>();
        if (configuration.Registry.Feed is { } feed)
        {
            services.AddSingleton(feed);
            services.AddSingleton<FeedClient>();
            services.AddHostedService<RegistryFeed>();
        }

        return services;
    }

    private static void AddEmbeddedSource(this IServiceCollection services)
    {
        services.AddSingleton(provider => new EmbeddedReadModelSource(
            provider.GetRequiredService<IDbContextFactory<GatewayDbContext>>(),
            provider.GetRequiredService<StoreVersions>(),
            provider.GetRequiredService<ConfigurationState>(),
            provider.GetRequiredService<PepperRing>(),
            provider.GetRequiredService<SnapshotStore>(),
            provider.GetRequiredService<EmbeddedIam>(),
            provider.GetRequiredService<IamChanges>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<EmbeddedReadModelSource>>()));
        services.AddHostedService(provider => provider.GetRequiredService<EmbeddedReadModelSource>());
    }

    private static void AddPlatformSource(this IServiceCollection services, PlatformSettings settings)
    {
        services.AddMetrics();
        services.AddSingleton(settings);
        services.AddSingleton<PlatformClient>();
        services.AddSingleton<PlatformMetrics>();
        services.AddSingleton<PlatformReadModelSource>();
        services.AddHostedService(provider => provider.GetRequiredService<PlatformReadModelSource>());
    }
}
