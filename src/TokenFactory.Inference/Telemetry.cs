using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace TokenFactory.Inference;

/// <summary>What the gateway tells about itself: one meter and one activity source, both called <see cref="Name"/>.
/// Nothing measured here carries a prompt, a completion, a key, a user or a tenant (P8).</summary>
public static class Telemetry
{
    public const string Name = "TokenFactory.Gateway";

    public static ActivitySource Source { get; } = new(Name);

    public static IServiceCollection AddGatewayMetrics(this IServiceCollection services)
    {
        services.AddMetrics();
        services.TryAddSingleton<GatewayMetrics>();
        return services;
    }

    /// <summary>The span of one call to a backend, with the GenAI conventions' required attributes. Null, at the price of
    /// one comparison, when nobody listens.</summary>
    internal static Activity? StartModelCall(in ModelCall call)
    {
        if (!Source.HasListeners())
        {
            return null;
        }

        var activity = Source.StartActivity($"{call.Operation} {call.RequestModel}", ActivityKind.Client);
        if (activity is { IsAllDataRequested: true })
        {
            activity.SetTag("gen_ai.operation.name", call.Operation);
            activity.SetTag("gen_ai.provider.name", call.Provider);
            activity.SetTag("gen_ai.request.model", call.RequestModel);
            activity.SetTag("gen_ai.response.model", call.ResponseModel);
        }

        return activity;
    }
}
