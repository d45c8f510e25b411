using System.Text.Json;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Gateway.Health;

/// <summary>What probes ask. Open to anyone, so they say which check failed and never why.</summary>
internal static class HealthEndpoints
{
    private static readonly string[] _probeMethods = ["GET", "HEAD"];

    public static IEndpointConventionBuilder MapHealth(this IEndpointRouteBuilder endpoints)
    {
        var group = endpoints.MapGroup("/health").DisableHttpMetrics().ExcludeFromDescription();
        group.MapMethods("/live", _probeMethods, static context => WriteAsync(context, StatusCodes.Status200OK, json => json.WriteString("status", "live")));
        group.MapMethods("/ready", _probeMethods, static context =>
        {
            var report = context.RequestServices.GetRequiredService<Readiness>().Look();
            var revision = context.RequestServices.GetRequiredService<SnapshotStore>().Current?.Revision;
            return WriteAsync(
                context,
                report.IsReady ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable,
                json => Write(json, report, revision));
        });
        return group;
    }

    private static void Write(Utf8JsonWriter json, ReadinessReport report, string? revision)
    {
        json.WriteString("status", report.IsReady ? "ready" : "unready");
        json.WriteString("version", ProductVersion.Current.Version);
        json.WriteString("revision", revision);
        json.WriteStartObject("checks");
        foreach (var (name, state) in report.Checks)
        {
            json.WriteString(name, state switch { CheckState.Pass => "pass", CheckState.Warn => "warn", _ => "fail" });
        }

        json.WriteEndObject();
    }

    private static async Task WriteAsync(HttpContext context, int status, Action<Utf8JsonWriter> members)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        context.Response.Headers.CacheControl = "no-store";
        await using (var json = new Utf8JsonWriter(context.Response.BodyWriter))
        {
            json.WriteStartObject();
            members(json);
            json.WriteEndObject();
        }
    }
}
