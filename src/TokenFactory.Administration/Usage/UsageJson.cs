using System.Text.Json;
using System.Text.Json.Serialization;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Administration.Usage;

/// <summary>How usage is written, by the API and by the command line alike: snake case, enums by name.</summary>
public static class UsageJson
{
    internal static JsonSerializerOptions Options { get; } = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };

    /// <summary>The same shape as <c>GET /v1/usage</c>.</summary>
    public static string Of(IReadOnlyList<UsageTotal> totals) =>
        JsonSerializer.Serialize(new ListView<UsageTotalView>([.. totals.Select(UsageTotalView.Of)], false, null), Options);

    /// <summary>The same shape as <c>GET /v1/usage/logs</c>.</summary>
    public static string Of(UsagePage page) => PageOf(page, UsageRecordView.Of);

    /// <summary>With the tenant and the deployment beside.</summary>
    public static string ForOperator(UsagePage page) => PageOf(page, UsageRecordView.ForOperator);

    private static string PageOf(UsagePage page, Func<UsageRecord, UsageRecordView> view) =>
        JsonSerializer.Serialize(new ListView<UsageRecordView>([.. page.Records.Select(view)], page.Next is not null, page.Next), Options);
}
