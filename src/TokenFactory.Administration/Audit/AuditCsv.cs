using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using TokenFactory.Storage.Audit;

namespace TokenFactory.Administration.Audit;

/// <summary>
/// A record as a line of RFC 4180, for people with a spreadsheet: its main members, and its hash. A text that a spreadsheet would take
/// for a formula gets an apostrophe before it.
/// </summary>
internal static class AuditCsv
{
    private static readonly (string Name, Func<AuditRecord, JsonElement, JsonElement, string> Value)[] _columns =
    [
        ("id", (record, _, _) => record.Id.ToString("D")),
        ("kind", (record, _, _) => record.Kind),
        ("recorded_at", (record, _, _) => record.RecordedAt.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture)),
        ("tenant", (record, _, _) => Plain(record.Tenant)),
        ("project", (record, _, _) => Plain(record.Project)),
        Data("user"), Data("key_id"), Data("use_case"), Data("operation"), Data("model"), Data("provider"), Data("region"), Data("deployment"), Data("upstream_model"),
        Data("upstream_version"), Data("outcome"), Data("evidence"), Data("policy_decision_id"),
        ("revision", (_, _, data) => Text(Member(Member(data, "policy"), "revision"))),
        ("bundle", (_, _, data) => Text(Member(Member(data, "policy"), "bundle"))),
        ("rules", (_, _, data) => Member(Member(data, "policy"), "rules") is { ValueKind: JsonValueKind.Array } rules ? Plain(string.Join(' ', rules.EnumerateArray().Select(rule => rule.GetString()))) : ""),
        ("status", (_, _, data) => Text(Member(data, "status"))),
        ("error", (_, root, data) => Text(Member(data, "error") ?? Member(root, "error"))),
        Data("attempts"),
        Tokens("input_uncached"), Tokens("cache_read"), Tokens("cache_write"), Tokens("output"), Tokens("reasoning"),
        Data("cost_nano_usd"),
        ("chain", (record, _, _) => record.Chain.ToString("D")),
        ("sequence", (record, _, _) => record.Sequence.ToString(CultureInfo.InvariantCulture)),
        ("hash", (record, _, _) => Convert.ToHexStringLower(record.Hash)),
    ];

    /// <summary>Also what separates cells where a comma is the decimal point.</summary>
    private static readonly SearchValues<char> _quoted = SearchValues.Create(",;\t\"\r\n");

    public static ReadOnlyMemory<byte> Head { get; } = Encode(_columns.Select(column => column.Name));

    public static ReadOnlyMemory<byte> Line(AuditRecord record)
    {
        // Somebody may have written what is no record: its columns and its hash are told all the same.
        using var document = IsJson(record.Body) ? JsonDocument.Parse(record.Body) : JsonDocument.Parse("{}");
        var root = document.RootElement;
        var data = Member(root, "data") ?? root;
        return Encode(_columns.Select(column => column.Value(record, root, data)));
    }

    private static bool IsJson(byte[] body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static (string, Func<AuditRecord, JsonElement, JsonElement, string>) Data(string name) => (name, (_, _, data) => Text(Member(data, name)));

    private static (string, Func<AuditRecord, JsonElement, JsonElement, string>) Tokens(string name) => (name, (_, _, data) => Text(Member(Member(data, "tokens"), name)));

    private static JsonElement? Member(JsonElement? of, string name) =>
        of is { ValueKind: JsonValueKind.Object } element && element.TryGetProperty(name, out var member) ? member : null;

    private static string Text(JsonElement? element) => element switch
    {
        { ValueKind: JsonValueKind.String } text => Plain(text.GetString()!),
        { ValueKind: JsonValueKind.Number } number => number.GetRawText(),
        _ => "",
    };

    private static string Plain(string text) => text.Length > 0 && text[0] is '=' or '+' or '-' or '@' or '\t' or '\r' or '\n' ? "'" + text : text;

    private static byte[] Encode(IEnumerable<string> fields) => Encoding.UTF8.GetBytes(string.Join(',', fields.Select(Quoted)) + "\r\n");

    private static string Quoted(string field) =>
        field.AsSpan().ContainsAny(_quoted) ? $"\"{field.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : field;
}
