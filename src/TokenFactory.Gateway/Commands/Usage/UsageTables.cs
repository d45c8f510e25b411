using System.Globalization;
using TokenFactory.Administration;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Gateway.Commands.Usage;

/// <summary>Usage as <c>gateway usage</c> prints it for people.</summary>
internal static class UsageTables
{
    public static string Of(IReadOnlyList<UsageTotal> totals, UsageGrouping by)
    {
        (string Head, UsageGrouping Group, Func<UsageTotal, string> Cell)[] groups =
        [
            ("DAY", UsageGrouping.Day, total => total.Day?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) ?? "-"),
            ("PROJECT", UsageGrouping.Project, total => total.Project ?? "-"),
            ("MODEL", UsageGrouping.Model, total => total.Model ?? "-"),
            ("KEY", UsageGrouping.Key, total => total.KeyId ?? "-"),
        ];
        var shown = groups.Where(group => by.HasFlag(group.Group)).ToArray();
        return TextTable.Of(
            [.. shown.Select(group => group.Head), "REQUESTS", "INPUT", "CACHED", "OUTPUT", "USD"],
            [.. totals.Select(total => (IReadOnlyList<string>)
            [
                .. shown.Select(group => group.Cell(total)),
                Number(total.Requests), Number(total.Tokens.Input), Number(total.Tokens.CacheRead), Number(total.Tokens.Output), Words.Usd(total.CostNanoUsd),
            ])]);
    }

    public static string Of(UsagePage page) => TextTable.Of(
        ["ACCEPTED", "REQUEST", "TENANT", "PROJECT", "KEY", "MODEL", "DEPLOYMENT", "OUTCOME", "EVIDENCE", "INPUT", "OUTPUT", "USD", "MS"],
        [.. page.Records.Select(record => (IReadOnlyList<string>)
        [
            record.AcceptedAt.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture), record.RequestId.ToString(), record.Tenant,
            record.Project, record.KeyId, record.Model, record.Deployment, record.Outcome.ToString(), record.Evidence.ToString(),
            Number(record.Tokens.Input), Number(record.Tokens.Output), Words.Usd(record.CostNanoUsd),
            record.DurationMs.ToString("0.0", CultureInfo.InvariantCulture),
        ])]);

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
