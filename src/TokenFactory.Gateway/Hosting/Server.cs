using Microsoft.AspNetCore.Server.Kestrel.Core;
using TokenFactory.Administration;
using TokenFactory.Administration.Audit;
using TokenFactory.Administration.Configuration;
using TokenFactory.Administration.Iam.Platform;
using TokenFactory.Administration.Requests;
using TokenFactory.Administration.Usage;
using TokenFactory.Gateway.Health;
using TokenFactory.Gateway.Logging;
using TokenFactory.Gateway.Telemetry;
using TokenFactory.Inference;
using TokenFactory.Inference.Access;
using TokenFactory.Inference.Limits;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Storage;

namespace TokenFactory.Gateway.Hosting;

/// <summary>The composition of <c>serve</c>: reads the configuration, puts the rooms together, prepares the store, and runs until it is told to stop.</summary>
internal static class Server
{
    public static async Task<int> RunAsync(ServeOptions options, string defaultUrl, CancellationToken cancel)
    {
        SocketDefaults.Apply();
        try
        {
            var (configuration, source) = await ConfigureAsync(options, cancel);
            await using var app = Build(options, configuration, source, Urls(options, configuration, defaultUrl));

            Map(app);
            await StartAsync(app, cancel);
            Welcome.Print(app.Urls, app.Services.GetRequiredService<FirstKeyPreparation>().Key);

            // The command line's token is cancelled by the signal itself: from here on the lifetime says when to stop.
            await app.WaitForShutdownAsync(CancellationToken.None);
            return 0;
        }
        catch (Exception reason) when (reason is StartException or StorageException or PlatformUnavailableException or LimiterUnavailableException)
        {
            await Console.Error.WriteLineAsync("gateway: " + reason.Message);
            return 1;
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync("gateway: told to stop before it had started");
            return 0;
        }
        catch (IOException taken) when (taken.InnerException is Microsoft.AspNetCore.Connections.AddressInUseException)
        {
            await Console.Error.WriteLineAsync($"gateway: {taken.Message} Stop what listens there, or choose another address with --urls.");
            return 1;
        }
    }

    private static async Task StartAsync(WebApplication app, CancellationToken cancel)
    {
        try
        {
            await app.StartAsync(cancel);
        }
        catch when (app.Services.GetRequiredService<FirstKeyPreparation>().Key is not null)
        {
            // The key is made before the listener starts, and the next start will find it and print none.
            Welcome.PrintKey(app.Services.GetRequiredService<FirstKeyPreparation>().Key!);
            throw;
        }
    }

    private static async Task<(GatewayConfiguration Configuration, ConfigurationSource Source)> ConfigureAsync(ServeOptions options, CancellationToken cancel)
    {
        var source = new ConfigurationSource(options.ConfigFile?.FullName, ProcessEnvironment());
        if (options.Upstream is { } upstream)
        {
            var credential = Credential(options.UpstreamKeyVariable);
            var models = await UpstreamModels.ListAsync(upstream, credential, cancel);
            source = source with { Overlay = read => read.WithUpstream(upstream, credential, options.UpstreamRegion, models) };
        }

        var reading = await InstallationConfiguration.ReadAsync(source, options.DataDirectory.FullName, cancel);
        return reading.Configuration is { } configuration
            ? (configuration, source)
            : throw new StartException("the configuration has mistakes:\n" + string.Join('\n', reading.Mistakes.Select(mistake => "  " + mistake)));
    }

    private static Dictionary<string, string> ProcessEnvironment() =>
        Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>().ToDictionary(e => (string)e.Key, e => (string?)e.Value ?? "", StringComparer.Ordinal);

    private static Secret? Credential(string? variable)
    {
        if (variable is null)
        {
            return null;
        }

        return Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value
            ? new Secret(value)
            : throw new StartException($"--upstream-key names the environment variable '{variable}', which is not set. Export it, or name another.");
    }

    private static string[] Urls(ServeOptions options, GatewayConfiguration configuration, string defaultUrl) =>
        options.Urls.Count > 0 ? [.. options.Urls]
        : configuration.Server.Urls.Count > 0 ? [.. configuration.Server.Urls.Select(url => url.ToString())]
        : [defaultUrl];

    private static WebApplication Build(ServeOptions options, GatewayConfiguration configuration, ConfigurationSource source, string[] urls)
    {
        // Empty: the usual builders read an appsettings.json of the working directory, and to notice its changes they watch
        // everything below, where the data directory's own writes then wake a thread thousands of times a second.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls(urls).ConfigureKestrel(Listen);
        builder.Services.AddRouting();
        builder.Logging.ClearProviders().AddGatewayLogging(Mapping.Logs(configuration.Telemetry));
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = configuration.Server.Drain + TimeSpan.FromSeconds(10));

        builder.Services.AddSingleton(new ShutdownOptions { Delay = configuration.Server.DrainDelay });
        builder.Services.AddSingleton<IHostLifetime, GracefulShutdown>();

        var instance = Ids.New(TimeProvider.System);
        var data = options.DataDirectory.FullName;
        builder.Services.AddSingleton(TimeProvider.System);

        // Hosted services start in this order, and the listener last: store, first key, read model, clusters, budgets.
        builder.Services.AddStore(configuration, data, instance);
        builder.Services.AddSingleton<FirstKeyPreparation>();
        builder.Services.AddHostedService(provider => provider.GetRequiredService<FirstKeyPreparation>());
        builder.Services.AddAdministration(configuration, source, data);
        builder.Services.AddInference(Mapping.Inference(configuration, instance));
        builder.Services.AddHostedService<BudgetPreparation>();
        builder.Services.AddRelay(data, Mapping.Sinks(configuration));
        builder.Services.AddHealth(new ReadinessOptions());
        builder.Services.AddGatewayTelemetry(Mapping.Telemetry(configuration.Telemetry, instance));

        return builder.Build();
    }

    private static void Map(WebApplication app)
    {
        app.UseMiddleware<LeavingMiddleware>();
        app.UseInferenceErrors();
        app.MapHealth();
        app.MapMetrics();
        app.MapInference();
        app.MapGroup("").RequireKey(Scopes.AuditRead).MapAudit(context => context.KeyedCall().Key);
        app.MapGroup("").RequireKey(Scopes.RequestsRead).MapRequests(context => context.KeyedCall().Key);
        app.MapGroup("").RequireKey(Scopes.RequestsCancel).MapCancellations(context => context.KeyedCall().Key);
        app.MapGroup("").RequireKey(Scopes.UsageRead).MapUsage(context => context.KeyedCall().Key);
    }

    private static void Listen(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;

        // Intake has its own bound, which answers in the caller's dialect before a byte is read.
        kestrel.Limits.MaxRequestBodySize = null;
    }
}
