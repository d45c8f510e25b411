using System.Globalization;
using System.Text.Json;
using TokenFactory.Storage.Audit;

namespace TokenFactory.Gateway.Commands;

/// <summary>An audit record as <c>gateway admin explain --request</c> tells it to people: what became of a request, where, and by which rules.</summary>
internal static class ExplainedRecord
{
    public static string Text(AuditRecord record)
    {
        using var document = JsonDocument.Parse(record.Body);
        var root = document.RootElement;
        var data = root.GetProperty("data");
        var lines = new List<string>
        {
            $"request {data.GetProperty("request_id")} of {record.Tenant}/{record.Project}, key {data.GetProperty("key_id")}, at {root.GetProperty("at")}",
            $"asked for {data.GetProperty("operation")} of {data.GetProperty("model")}{Listed(Member(Member(data, "policy"), "declared"), ", and said ")}",
        };
        lines.AddRange(Judged(data));
        lines.AddRange(record.Kind == AuditKind.Denial ? [$"refused with {data.GetProperty("status")} {data.GetProperty("error")}: {data.GetProperty("reason")}"] : Settled(root, data));
        if (Member(Member(data, "policy"), "excluded") is { } excluded)
        {
            lines.Add("left out:");
            lines.Add(TextTable.Of(
                ["deployment", "reason", "rule"],
                [.. excluded.EnumerateArray().Select(one => (string[])[Word(one, "deployment"), Word(one, "reason"), Word(one, "rule")])]));
        }

        lines.AddRange(External(data));
        lines.AddRange(Shadowed(data));
        lines.Add(string.Create(CultureInfo.InvariantCulture, $"evidence: record {record.Sequence} of chain {record.Chain}, hash {Convert.ToHexStringLower(record.Hash)}, {Proof(record)}"));
        return string.Join(Environment.NewLine, lines);
    }

    private static IEnumerable<string> Judged(JsonElement data)
    {
        if (Member(data, "policy") is not { } policy)
        {
            yield break;
        }

        yield return $"judged by configuration {Word(policy, "revision")}, {(Member(policy, "bundle") is { } bundle ? $"policy bundle {bundle}" : "no policy bundle")}, decision {Word(data, "policy_decision_id")}";
        yield return $"rules that matched: {Words(Member(policy, "rules"), "none")}; regions that had to cover it: {Words(Member(policy, "regions"), "none")}";
    }

    private static IEnumerable<string> Settled(JsonElement root, JsonElement data)
    {
        var tokens = data.GetProperty("tokens");
        yield return $"ran on {Word(data, "deployment")} of {Word(data, "provider")} in {Word(data, "region")}: {Word(data, "upstream_model")}, version {Word(data, "upstream_version")}";
        yield return $"{Word(data, "outcome")}{(Member(root, "error") is { } error ? $" ({error})" : "")}; {Word(data, "evidence")}: {Count(tokens, "input_uncached", "cache_read", "cache_write")} tokens in, "
            + $"{Count(tokens, "output")} out, {Administration.Words.Usd(data.GetProperty("cost_nano_usd").GetInt64())} USD by price {Word(data, "price_id")}";
        if (Member(root, "skipped") is { } skipped)
        {
            yield return "passed over: " + string.Join(", ", skipped.EnumerateArray().Select(one => $"{Word(one, "deployment")} ({Word(one, "reason")})"));
        }

        var attempts = root.GetProperty("attempts");
        if (attempts.GetArrayLength() > 0)
        {
            yield return "tried:";
            yield return TextTable.Of(
                ["deployment", "provider", "region", "status", "error", "ms"],
                [.. attempts.EnumerateArray().Select(one => (string[])[Word(one, "deployment"), Word(one, "provider"), Word(one, "region"), Word(one, "status"), Word(one, "error"), Word(one, "duration_ms")])]);
        }
    }

    private static IEnumerable<string> External(JsonElement data)
    {
        if (Member(Member(data, "policy"), "external") is { } external)
        {
            yield return $"asked {Word(external, "endpoint")}: {Word(external, "outcome")}{(Member(external, "reasons") is { } reasons ? $" ({Words(reasons, "")})" : "")}, its decision {Word(external, "decision_id")}"
                + Listed(Member(external, "restrict"), "; only ");
        }
    }

    private static IEnumerable<string> Shadowed(JsonElement data)
    {
        if (Member(Member(data, "policy"), "shadow") is not { } shadow)
        {
            yield break;
        }

        yield return ShadowText.Line(Word(shadow, "bundle"), Word(shadow, "outcome"), Words(Member(shadow, "reasons"), ""), Words(Member(shadow, "admitted"), ""));
        if (Member(shadow, "excluded") is { } excluded)
        {
            yield return ShadowText.Excluded([.. excluded.EnumerateArray().Select(one => (string[])[Word(one, "deployment"), Word(one, "reason"), Word(one, "rule")])]);
        }
    }

    private static string Proof(AuditRecord record) =>
        AuditVerifier.IsHashOf(record.Chain, record.Sequence, record.Previous, record.Body, record.Hash)
            ? "which is that of these words after the record before it"
            : "WHICH IS NOT that of these words after the record before it: run `gateway audit verify`";

    private static string Listed(JsonElement? declared, string before) => declared is { } words
        ? before + string.Join(", ", words.EnumerateObject().Select(one => $"{one.Name} {(one.Value.ValueKind == JsonValueKind.Array ? Words(one.Value, "") : one.Value.ToString())}"))
        : "";

    private static string Words(JsonElement? array, string none) => array is { } words ? string.Join(", ", words.EnumerateArray()) : none;

    private static long Count(JsonElement tokens, params ReadOnlySpan<string> classes)
    {
        long sum = 0;
        foreach (var name in classes)
        {
            sum += tokens.GetProperty(name).GetInt64();
        }

        return sum;
    }

    private static string Word(JsonElement of, string name) => Member(of, name)?.ToString() ?? "-";

    private static JsonElement? Member(JsonElement? of, string name) =>
        of is { ValueKind: JsonValueKind.Object } element && element.TryGetProperty(name, out var member) && member.ValueKind != JsonValueKind.Null ? member : null;
}
