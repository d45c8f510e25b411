using System.Diagnostics.Metrics;
using TokenFactory.Inference;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Administration.Iam.Platform;

/// <summary>How the read model of the platform stands; nothing here names a tenant or a key.</summary>
internal sealed class PlatformMetrics
{
    private readonly Counter<long> _refusals;
    private readonly Counter<long> _remarks;
    private (long Version, int Keys)? _inForce;
    private double? _lagSeconds;

    public PlatformMetrics(IMeterFactory meters, SnapshotStore store)
    {
        var meter = meters.Create(Telemetry.Name);
        _refusals = meter.CreateCounter<long>("tokenfactory.iam.refusals", "{answer}", "Questions to the platform that changed nothing, by reason");
        _remarks = meter.CreateCounter<long>("tokenfactory.iam.entries.refused", "{entry}", "Entries of the platform that close what they speak of, or were left out");
        meter.CreateObservableGauge("tokenfactory.iam.read_model.age", () => Observe(store.Age?.TotalSeconds), "s", "Since the question that last confirmed the read model");
        meter.CreateObservableGauge("tokenfactory.iam.read_model.version", () => Observe(_inForce?.Version), null, "The platform's version in force");
        meter.CreateObservableGauge("tokenfactory.iam.read_model.keys", () => Observe(_inForce?.Keys), "{key}", "Keys in force, revoked ones included");
        meter.CreateObservableGauge("tokenfactory.iam.read_model.lag", () => Observe(_lagSeconds), "s", "From the version in force coming to be to its being in force here, by both clocks");
    }

    public void Refused(AnswerRefusal reason) => _refusals.Add(1, new KeyValuePair<string, object?>("reason", reason switch
    {
        AnswerRefusal.Unreachable => "unreachable",
        AnswerRefusal.TimedOut => "timed_out",
        AnswerRefusal.BadStatus => "bad_status",
        AnswerRefusal.CutShort => "cut_short",
        AnswerRefusal.OlderVersion => "older_version",
        AnswerRefusal.NotAsked => "not_asked",
        AnswerRefusal.TooLarge => "too_large",
        AnswerRefusal.Nameless => "nameless",
        _ => "malformed",
    }));

    public void InForce(long version, int keys, TimeSpan? lag, long remarks)
    {
        (_inForce, _lagSeconds) = ((version, keys), lag?.TotalSeconds);
        _remarks.Add(remarks);
    }

    private static IEnumerable<Measurement<double>> Observe(double? value) => value is { } known ? [new Measurement<double>(known)] : [];
}
