using TokenFactory.Administration.Configuration.Settings;

namespace TokenFactory.Administration.Configuration;

/// <summary>The sections that a running process was built from, and that a changed file cannot change in it.</summary>
internal static class RestartOnly
{
    public static IReadOnlyList<string> Differ(GatewayConfiguration before, GatewayConfiguration after)
    {
        var sections = new List<string>();
        Note("store", Same(before.Store, after.Store));
        Note("limiter", before.Limiter == after.Limiter);
        Note("iam.max_staleness", before.Iam.MaxStaleness == after.Iam.MaxStaleness);
        Note("iam.mode, url, credential, poll, timeout or answer_limit", Same(before.Iam.Platform, after.Iam.Platform));
        Note("server", before.Server with { Urls = [] } == after.Server with { Urls = [] } && before.Server.Urls.SequenceEqual(after.Server.Urls));
        Note("telemetry", before.Telemetry == after.Telemetry);
        Note("guard", before.Guard == after.Guard);
        Note("registry.url, credential, poll, timeout or answer_limit", Same(before.Registry.Feed, after.Registry.Feed));
        Note("ledger", before.Ledger == after.Ledger);
        Note("sinks", before.Sinks.Count == after.Sinks.Count && before.Sinks.Zip(after.Sinks).All(pair => Same(pair.First, pair.Second)));
        return sections;

        void Note(string section, bool isSame)
        {
            if (!isSame)
            {
                sections.Add(section);
            }
        }
    }

    private static bool Same(PlatformSettings? left, PlatformSettings? right) =>
        left is null || right is null
            ? left == right
            : left with { Credential = right.Credential } == right && left.Credential.Reveal() == right.Credential.Reveal();

    private static bool Same(RegistryFeedSettings? left, RegistryFeedSettings? right) =>
        left is null || right is null
            ? left == right
            : left with { Credential = right.Credential } == right && left.Credential.Reveal() == right.Credential.Reveal();

    private static bool Same(StoreSettings left, StoreSettings right) =>
        left with { Connection = null } == right with { Connection = null } && left.Connection?.Reveal() == right.Connection?.Reveal();

    // Secrets compare by reference: a sink is compared without its credential, which has no text to compare.
    private static bool Same(SinkSettings left, SinkSettings right) => (left, right) switch
    {
        (CloudEventsSinkSettings a, CloudEventsSinkSettings b) =>
            a with { Credential = null } == b with { Credential = null } && a.Credential?.Reveal() == b.Credential?.Reveal(),
        _ => left == right,
    };
}
