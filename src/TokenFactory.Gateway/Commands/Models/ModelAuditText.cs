using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using TokenFactory.Storage.ModelAudit;

namespace TokenFactory.Gateway.Commands.Models;

/// <summary>The model audit for people and for programs.</summary>
internal static class ModelAuditText
{
    private static readonly JsonSerializerOptions _json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Table(IReadOnlyList<ModelAuditView> audits)
    {
        if (audits.Count == 0)
        {
            return "No deployment was asked in this time, and none is flagged.";
        }

        var table = TextTable.Of(
            ["DEPLOYMENT", "REQUESTS", "TTFT P50 MS", "TTFT P95 MS", "TOKENS/S P50", "ERROR %", "REFUSAL %", "OUTPUT P50", "MODELS", "FINGERPRINTS", "FLAGS"],
            [.. audits.Select(one => (IReadOnlyList<string>)
            [
                one.Deployment, Number(one.Requests), Figure(one.FirstTokenMs.Quantile(0.5)), Figure(one.FirstTokenMs.Quantile(0.95)), Figure(one.TokensPerSecond.Quantile(0.5)),
                Share(one.Errors, one.Requests), Share(one.Refusals, one.Requests - one.Errors), Figure(one.OutputTokens.Quantile(0.5)), Names(one.Models), Names(one.Fingerprints),
                one.Flags.Count(static flag => flag.EndedAt is null) is var open and > 0 ? Number(open) : "-",
            ])]);
        var flags = audits.SelectMany(static one => one.Flags).ToArray();
        return flags.Length == 0 ? table : string.Join(Environment.NewLine, table, "", TextTable.Of(
            ["FLAGGED", "WHAT", "BEFORE", "AFTER", "SINCE", "DETECTED", "OVER", "BY"],
            [.. flags.Select(static flag => (IReadOnlyList<string>)
            [
                flag.Deployment, AuditedKinds.NameOf(flag.Kind), flag.Before, flag.After, Moment(flag.Since), Moment(flag.DetectedAt),
                flag.EndedAt is { } over ? Moment(over) : "holds", flag.InstanceId.ToString(),
            ])]));
    }

    public static string Json(DateTimeOffset since, IReadOnlyList<ModelAuditView> audits) => JsonSerializer.Serialize(
        new
        {
            since,
            deployments = audits.Select(static one => new
            {
                deployment = one.Deployment,
                requests = one.Requests,
                errors = one.Errors,
                refusals = one.Refusals,
                time_to_first_token_ms = new { p50 = one.FirstTokenMs.Quantile(0.5), p95 = one.FirstTokenMs.Quantile(0.95), of = one.FirstTokenMs.Count },
                tokens_per_second = new { p50 = one.TokensPerSecond.Quantile(0.5), of = one.TokensPerSecond.Count },
                output_tokens = new { p50 = one.OutputTokens.Quantile(0.5), of = one.OutputTokens.Count },
                models = one.Models.Select(static name => new { name = name.Key, answers = name.Value }),
                system_fingerprints = one.Fingerprints.Select(static name => new { name = name.Key, answers = name.Value }),
                flags = one.Flags.Select(static flag => new
                {
                    flag_id = flag.Id,
                    kind = AuditedKinds.NameOf(flag.Kind),
                    before = Side(flag, flag.Before),
                    after = Side(flag, flag.After),
                    since = flag.Since,
                    detected_at = flag.DetectedAt,
                    ended_at = flag.EndedAt,
                    instance_id = flag.InstanceId,
                }),
            }),
        },
        _json);

    private static object Side(AuditFlag flag, string side) => AuditedKinds.IsName(flag.Kind) ? side : decimal.Parse(side, CultureInfo.InvariantCulture);

    private static string Names(IReadOnlyList<KeyValuePair<string, long>> names) => names.Count == 0 ? "-" : string.Join(", ", names.Select(static one => one.Key));

    private static string Figure(double? figure) => figure is { } known ? known.ToString(known < 10 ? "0.0" : "0", CultureInfo.InvariantCulture) : "-";

    private static string Share(long some, long all) => all > 0 ? (100.0 * some / all).ToString("0.0", CultureInfo.InvariantCulture) : "-";

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Moment(DateTimeOffset moment) => moment.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
