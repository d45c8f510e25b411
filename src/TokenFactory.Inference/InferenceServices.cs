using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using TokenFactory.Inference.Access;
using TokenFactory.Inference.Dispatch;
using TokenFactory.Inference.Dispatch.Connecting;
using TokenFactory.Inference.Dispatch.Health;
using TokenFactory.Inference.Dispatch.Loopback;
using TokenFactory.Inference.Dispatch.Replicas;
using TokenFactory.Inference.Dispatch.Running;
using TokenFactory.Inference.Dispatch.Standing;
using TokenFactory.Inference.Guard;
using TokenFactory.Inference.Infer;
using TokenFactory.Inference.Intake;
using TokenFactory.Inference.Ledger;
using TokenFactory.Inference.Limits;
using TokenFactory.Inference.Metering;
using TokenFactory.Inference.ModelAudit;
using TokenFactory.Inference.Models;
using TokenFactory.Inference.Policy;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.Routing;
using TokenFactory.Inference.Stored;
using TokenFactory.Storage.Journal;
using TokenFactory.Tokenizer;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.LoadBalancing;
using Yarp.ReverseProxy.Transforms.Builder;

namespace TokenFactory.Inference;

/// <summary>The data plane's two doors: <c>AddInference</c> and <c>MapInference</c>.</summary>
public static class InferenceServices
{
    /// <summary>Needs a TimeProvider, an <c>IJournal</c> and the <see cref="SnapshotStore"/> that the control plane publishes into; registered after them, it starts after them.</summary>
    public static IServiceCollection AddInference(this IServiceCollection services, InferenceOptions options)
    {
        services.AddSingleton(options.Intake).AddSingleton(options.Guard).AddSingleton(options.Dispatch).AddSingleton(options.Metering).AddSingleton(options.Ledger);
        services.AddSingleton(new Instance(options.InstanceId));
        services.AddSingleton(new BodyBudget(options.Intake.EffectiveBodyBudgetBytes));
        services.AddGatewayMetrics();
        services.AddSingleton<Authenticator>();
        services.AddLimiter(options.RedisLimiter);
        services.AddSingleton<LearntOutputs>();
        services.AddSingleton<Observations>();
        services.AddSingleton(provider => new Planner(Random.Shared, provider.GetRequiredService<Observations>()));
        services.AddSingleton<AnswerFactory>();
        services.AddSingleton<AnswerJudge>();
        services.AddSingleton(provider => new Denials(
            provider.GetRequiredService<IJournal>(), provider.GetRequiredService<Instance>(), options.Ledger.SettleWithin, provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<Denials>>()));
        services.AddSingleton<DecisionEndpoint>();
        services.AddSingleton<Standings>();
        if (options.RedisLimiter is { } redis)
        {
            services.AddHostedService(provider => new SharedRests(
                provider.GetRequiredService<Standings>(), redis, provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<SharedRests>>()));
        }

        services.AddModelAudit();
        services.AddSingleton<Drain>();
        services.AddSingleton<RunningRequests>();
        services.AddHostedService<RunningWatch>();
        services.AddSingleton<LateSettlements>();
        services.AddHostedService(provider => provider.GetRequiredService<LateSettlements>());

        services.AddSingleton<Keeper>();
        services.AddSingleton<StoredResponses>();

        services.AddSingleton<UpstreamUris>();
        services.AddSingleton<Func<string?, LoopbackHandler>>(provider => answer => new LoopbackHandler(TokenEncoding.O200kBase.Count, provider.GetRequiredService<TimeProvider>(), answer));
        services.AddSingleton<ResolveName>(Dns.GetHostAddressesAsync);
        services.AddReverseProxy();

        // YARP brings data protection for its session affinity, which is not used here; started, it would keep keys on the local disk.
        foreach (var unused in services.Where(s => s.ImplementationType?.Name == "DataProtectionHostedService").ToArray())
        {
            services.Remove(unused);
        }

        services.AddSingleton<IProxyConfigProvider, DeploymentClusters>();
        services.AddSingleton<ITransformProvider, ForwardTransforms>();
        services.Replace(ServiceDescriptor.Singleton<IForwarderHttpClientFactory, ForwardClients>());
        services.Replace(ServiceDescriptor.Singleton<IProbingRequestFactory, ProbeRequests>());
        services.AddSingleton<IPassiveHealthCheckPolicy, AttemptHealthPolicy>();
        services.AddSingleton<IActiveHealthCheckPolicy, ProbeHealthPolicy>();
        services.AddSingleton<EngineLoads>();
        services.AddSingleton<ILoadBalancingPolicy>(provider => new ReplicaPolicy(provider.GetRequiredService<EngineLoads>(), Random.Shared));
        services.AddHostedService<ClustersInForce>();
        services.AddHostedService<EngineWatch>();
        return services;
    }

    /// <summary>Answers in the caller's error shape whatever nothing else answers. The first middleware of the process.</summary>
    public static void UseInferenceErrors(this IApplicationBuilder app) => app.UseMiddleware<UnservedMiddleware>();

    /// <summary>The request's path: every inference route passes every stop, in this order.</summary>
    public static void MapInference(this IEndpointRouteBuilder app)
    {
        app.MapModels();
        app.MapTokenCount();
        app.MapStoredResponses();
        app.MapReverseProxy(path =>
        {
            // In front of the path and behind it: what has a contract of its own passes every stop as a request of OpenAI's dialect.
            path.UseMiddleware<InferMiddleware>();
            path.UseMiddleware<IntakeMiddleware>();
            path.UseMiddleware<AccessMiddleware>();
            path.UseMiddleware<GuardMiddleware>();
            path.UseMiddleware<LimitsMiddleware>();
            path.UseMiddleware<PolicyMiddleware>();
            path.UseMiddleware<RoutingMiddleware>();
            path.UseMiddleware<LedgerMiddleware>();
            path.UseMiddleware<MeteringMiddleware>();
            path.UseMiddleware<DispatchMiddleware>();

            // Once per attempt: YARP picks a replica of the deployment, watches its health, and forwards.
            path.UseLoadBalancing();
            path.UsePassiveHealthChecks();
        });
    }
}
