using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Administration.Configuration.Reading.Sections;

/// <summary>How a deployment's requests are shared among its endpoints: <c>affinity</c> and <c>load</c>.</summary>
internal static class ReplicaSection
{
    public static Affinity ReadAffinity(Field field, Provider? provider)
    {
        RefuseInside(field, provider);
        return field.Choice(("none", Affinity.None), ("prefix", Affinity.Prefix)) ?? Affinity.None;
    }

    public static EngineMetrics? ReadLoad(Field field, Provider? provider)
    {
        RefuseInside(field, provider);
        if (field.Section() is not { } section)
        {
            return null;
        }

        var path = section["path"].Text()?.Trim('/') ?? "metrics";
        if (path.Length == 0 || path.Contains("://", StringComparison.Ordinal) || path.Any(char.IsWhiteSpace))
        {
            section["path"].Mistake("write a path at the endpoint's origin such as metrics");
        }

        var interval = section["interval"].Duration(TimeSpan.FromMilliseconds(200), TimeSpan.FromMinutes(1)) ?? TimeSpan.FromSeconds(1);
        section.RefuseUnknownKeys();
        return new EngineMetrics(path, interval);
    }

    private static void RefuseInside(Field field, Provider? provider)
    {
        if (field.IsPresent && provider is { IsInside: true })
        {
            field.Mistake("is about several endpoints; a loopback or manual deployment has none");
        }
    }
}
