using System.Text.Json.Serialization;
using TokenFactory.Administration.Configuration.Reading;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Administration.Usage;

/// <summary>A list, as OpenAI's API shapes them.</summary>
internal sealed record ListView<T>(IReadOnlyList<T> Data, bool HasMore, string? Next)
{
    [JsonPropertyOrder(-1)]
    public string Object { get; } = "list";
}

/// <summary>Disjoint classes (reasoning is a part of output), and their sums.</summary>
internal sealed record TokensView(
    long InputUncached, long CacheRead, long CacheWrite, long Input, long Output, long Reasoning, long Total)
{
    public static TokensView Of(TokenUsage tokens) => new(
        tokens.InputUncached, tokens.CacheRead, tokens.CacheWrite, tokens.Input, tokens.Output, tokens.Reasoning, tokens.Total);
}

/// <summary>A group's totals; what was not grouped by is left out.</summary>
internal sealed record UsageTotalView
{
    public string Object { get; } = "usage.total";

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateOnly? Day { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Model { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? KeyId { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Project { get; init; }

    public required long Requests { get; init; }

    public required TokensView Tokens { get; init; }

    public required long CostNanoUsd { get; init; }

    /// <summary>The same as a decimal, in a string because JSON numbers are floating point to most readers.</summary>
    public required string CostUsd { get; init; }

    public static UsageTotalView Of(UsageTotal total) => new()
    {
        Day = total.Day,
        Model = total.Model,
        KeyId = total.KeyId,
        Project = total.Project,
        Requests = total.Requests,
        Tokens = TokensView.Of(total.Tokens),
        CostNanoUsd = total.CostNanoUsd,
        CostUsd = Quantity.Usd(total.CostNanoUsd),
    };
}

/// <summary>One settled request. A caller is told region and provider; the tenant and our deployments' names are the operator's.</summary>
internal sealed record UsageRecordView
{
    public string Object { get; } = "usage.record";

    public required Guid RequestId { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Tenant { get; init; }

    public required string Project { get; init; }

    public required string? User { get; init; }

    public required string KeyId { get; init; }

    public required string Operation { get; init; }

    public required bool Stream { get; init; }

    public required string Model { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Deployment { get; init; }

    public required string Provider { get; init; }

    public required string? Region { get; init; }

    public required Outcome Outcome { get; init; }

    public required Evidence Evidence { get; init; }

    public required string? Error { get; init; }

    public required TokensView Tokens { get; init; }

    public required long CostNanoUsd { get; init; }

    public required string CostUsd { get; init; }

    public required string PriceId { get; init; }

    public required int Attempts { get; init; }

    public required DateTimeOffset AcceptedAt { get; init; }

    public required DateTimeOffset SettledAt { get; init; }

    public required double? TimeToFirstTokenMs { get; init; }

    public required double DurationMs { get; init; }

    /// <summary>Only when more became known after the settlement; tokens and cost are the corrected ones.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Adjusted { get; init; }

    public static UsageRecordView ForOperator(UsageRecord record) =>
        Of(record) with { Tenant = record.Tenant, Deployment = record.Deployment };

    public static UsageRecordView Of(UsageRecord record) => new()
    {
        RequestId = record.RequestId,
        Project = record.Project,
        User = record.User,
        KeyId = record.KeyId,
        Operation = record.Operation,
        Stream = record.Stream,
        Model = record.Model,
        Provider = record.Provider,
        Region = record.Region,
        Outcome = record.Outcome,
        Evidence = record.Evidence,
        Error = record.Error,
        Tokens = TokensView.Of(record.Tokens),
        CostNanoUsd = record.CostNanoUsd,
        CostUsd = Quantity.Usd(record.CostNanoUsd),
        PriceId = record.PriceId,
        Attempts = record.Attempts,
        AcceptedAt = record.AcceptedAt,
        SettledAt = record.SettledAt,
        TimeToFirstTokenMs = record.TimeToFirstTokenMs,
        DurationMs = record.DurationMs,
        Adjusted = record.Adjusted,
    };
}
