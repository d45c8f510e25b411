using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using TokenFactory.Storage.ModelAudit;

namespace TokenFactory.Inference.ModelAudit;

/// <summary>Labels are configured names and a closed list of kinds.</summary>
internal sealed class ModelAuditMetrics
{
    private readonly ConcurrentDictionary<(string Deployment, AuditedKind Kind), bool> _flags = new();
    private readonly Counter<long> _detections;
    private readonly Counter<long> _failures;
    private readonly Counter<long> _dropped;

    public ModelAuditMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(Telemetry.Name);
        _detections = meter.CreateCounter<long>("tokenfactory.model_audit.detections", "{change}", "Changes of a deployment that its configuration does not explain");
        _failures = meter.CreateCounter<long>("tokenfactory.model_audit.write_failures", "{write}", "Writes of the model audit that failed and are tried again");
        _dropped = meter.CreateCounter<long>("tokenfactory.model_audit.dropped", "{sample}", "Samples and written periods of the model audit that were given up because too many waited");
        meter.CreateObservableGauge("tokenfactory.model_audit.flags", Flags, null, "1 while a change of a deployment holds");
    }

    public void Raised(string deployment, AuditedKind kind)
    {
        _flags[(deployment, kind)] = true;
        _detections.Add(1, new("deployment", deployment), new("kind", AuditedKinds.NameOf(kind)));
    }

    public void Ended(string deployment, AuditedKind kind) => _flags[(deployment, kind)] = false;

    /// <summary>It is not configured any more.</summary>
    public void Forget(string deployment)
    {
        foreach (var (flag, _) in _flags)
        {
            if (flag.Deployment == deployment)
            {
                _flags.TryRemove(flag, out _);
            }
        }
    }

    public void WriteFailed() => _failures.Add(1);

    public void Dropped(long count) => _dropped.Add(count);

    private IEnumerable<Measurement<int>> Flags() =>
        _flags.Select(static one => new Measurement<int>(one.Value ? 1 : 0, new("deployment", one.Key.Deployment), new("kind", AuditedKinds.NameOf(one.Key.Kind))));
}
