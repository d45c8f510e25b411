using System.Diagnostics.Metrics;
using TokenFactory.Inference;

namespace TokenFactory.Administration.Registration;

/// <summary>How the registry stands.</summary>
internal sealed class RegistryMetrics
{
    private readonly Counter<long> _refusals;
    private readonly TimeProvider _clock;
    private long _revision;
    private long _confirmed;

    public RegistryMetrics(IMeterFactory meters, TimeProvider clock)
    {
        (_clock, _confirmed) = (clock, clock.GetTimestamp());
        var meter = meters.Create(Telemetry.Name);
        _refusals = meter.CreateCounter<long>("tokenfactory.registry.refusals", "{answer}", "Answers of the control plane that changed nothing, by reason");
        meter.CreateObservableGauge("tokenfactory.registry.revision", () => _revision, null, "The revision of the registry that this process has read");
        meter.CreateObservableGauge(
            "tokenfactory.registry.feed.age", () => clock.GetElapsedTime(_confirmed).TotalSeconds, "s", "Since the control plane's last answer that could be taken, or since the start");
    }

    public void InForce(long revision) => _revision = revision;

    public void Confirmed() => _confirmed = _clock.GetTimestamp();

    public void Refused(FeedRefusal reason) => _refusals.Add(1, new KeyValuePair<string, object?>("reason", reason switch
    {
        FeedRefusal.Unreachable => "unreachable",
        FeedRefusal.TimedOut => "timed_out",
        FeedRefusal.BadStatus => "bad_status",
        FeedRefusal.TooLarge => "too_large",
        FeedRefusal.OlderVersion => "older_version",
        FeedRefusal.Mistaken => "mistaken",
        _ => "malformed",
    }));
}
