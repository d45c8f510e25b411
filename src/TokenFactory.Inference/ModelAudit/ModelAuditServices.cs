using Microsoft.Extensions.DependencyInjection;

namespace TokenFactory.Inference.ModelAudit;

internal static class ModelAuditServices
{
    /// <summary>Needs the store's <c>IModelAuditStore</c>.</summary>
    public static void AddModelAudit(this IServiceCollection services)
    {
        services.AddSingleton<AnswerWatch>();
        services.AddSingleton<ModelAuditMetrics>();
        services.AddSingleton<AuditBook>();
        services.AddHostedService<ModelAuditor>();
    }
}
