using System.Diagnostics;
using TokenFactory.Inference;

namespace TokenFactory.Gateway.Telemetry;

internal static class TelemetryServices
{
    public static IServiceCollection AddGatewayTelemetry(this IServiceCollection services, TelemetryOptions options)
    {
        // Inbound traces are continued, outbound ones never leave: a trace id is ours, and a backend may be anybody's (P8).
        // Process-wide and before any HTTP client exists, so that no client can be forgotten.
        DistributedContextPropagator.Current = DistributedContextPropagator.CreateNoOutputPropagator();

        services.AddGatewayMetrics();
        services.AddSingleton(options);
        services.AddSingleton<PrometheusReader>();
        services.AddHostedService<TelemetryProviders>();
        return services;
    }

    /// <summary>Prometheus text at <c>GET /metrics</c>. It names deployments and backend addresses, so it is for the scraper
    /// inside and never for the edge (P8).</summary>
    public static IEndpointConventionBuilder MapMetrics(this IEndpointRouteBuilder endpoints) =>
        endpoints.MapGet("/metrics", static async (HttpContext context, PrometheusReader reader) =>
        {
            context.Response.ContentType = PrometheusText.ContentType;
            context.Response.Headers.CacheControl = "no-store";
            if (!await reader.WriteAsync(context.Response.BodyWriter, context.RequestAborted))
            {
                context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            }
        })
        .DisableHttpMetrics()
        .ExcludeFromDescription();
}
