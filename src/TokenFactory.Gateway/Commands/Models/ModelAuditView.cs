using TokenFactory.Storage.ModelAudit;

namespace TokenFactory.Gateway.Commands.Models;

/// <summary>One deployment, all replicas and periods of the window added up.</summary>
internal sealed record ModelAuditView(string Deployment, IReadOnlyList<AuditFlag> Flags)
{
    public long Requests { get; init; }

    public long Errors { get; init; }

    public long Refusals { get; init; }

    public LogHistogram FirstTokenMs { get; } = new();

    public LogHistogram TokensPerSecond { get; } = new();

    public LogHistogram OutputTokens { get; } = new();

    /// <summary>The most frequent first.</summary>
    public required IReadOnlyList<KeyValuePair<string, long>> Models { get; init; }

    public required IReadOnlyList<KeyValuePair<string, long>> Fingerprints { get; init; }

    /// <summary>By name; a deployment with a flag is shown though nobody asked it within the window.</summary>
    public static IReadOnlyList<ModelAuditView> Of(IReadOnlyList<AuditedPeriod> periods, IReadOnlyList<AuditFlag> flags)
    {
        var seen = periods.ToLookup(static one => one.Deployment, StringComparer.Ordinal);
        var flagged = flags.ToLookup(static one => one.Deployment, StringComparer.Ordinal);
        return [.. seen.Concat<IGrouping<string, object>>(flagged).Select(static group => group.Key).Distinct().Order(StringComparer.Ordinal).Select(name => Of(name, [.. seen[name]], [.. flagged[name]]))];
    }

    private static ModelAuditView Of(string deployment, AuditedPeriod[] periods, AuditFlag[] flags)
    {
        var view = new ModelAuditView(deployment, flags)
        {
            Requests = periods.Sum(static one => one.Requests),
            Errors = periods.Sum(static one => one.Errors),
            Refusals = periods.Sum(static one => one.Refusals),
            Models = Names(periods.SelectMany(static one => one.Models)),
            Fingerprints = Names(periods.SelectMany(static one => one.Fingerprints)),
        };
        foreach (var period in periods)
        {
            view.FirstTokenMs.Add(period.FirstTokenMs);
            view.TokensPerSecond.Add(period.TokensPerSecond);
            view.OutputTokens.Add(period.OutputTokens);
        }

        return view;
    }

    private static KeyValuePair<string, long>[] Names(IEnumerable<KeyValuePair<string, long>> counted) =>
        [.. counted.GroupBy(static one => one.Key, StringComparer.Ordinal)
            .Select(static group => KeyValuePair.Create(group.Key, group.Sum(static one => one.Value)))
            .OrderByDescending(static one => one.Value).ThenBy(static one => one.Key, StringComparer.Ordinal)];
}
