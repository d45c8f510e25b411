using System.Text.Json;
using System.Text.Json.Serialization;
using TokenFactory.Administration.Configuration.Reading;
using TokenFactory.Administration.Usage;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Storage.Audit;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Ledger;
using TokenFactory.Storage.Requests;

namespace TokenFactory.Administration.Requests;

/// <summary>A request and what became of it so far. A caller is told region and provider; our deployments' names are the operator's.</summary>
internal sealed record RequestView
{
    public string Object { get; } = "request";

    public required Guid Id { get; init; }

    /// <summary><c>running</c>, how it ended in the ledger's words, or <c>denied</c>.</summary>
    public required string State { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Tenant { get; init; }

    public required string Project { get; init; }

    public string? User { get; init; }

    public required string KeyId { get; init; }

    public string? Tier { get; init; }

    public string? UseCase { get; init; }

    public required string Operation { get; init; }

    public required bool Stream { get; init; }

    /// <summary>What the caller asked for.</summary>
    public required string Model { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Deployment { get; init; }

    public string? Provider { get; init; }

    public string? Region { get; init; }

    public string? UpstreamModel { get; init; }

    public string? UpstreamVersion { get; init; }

    public required DateTimeOffset AcceptedAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>Of a running request that is being stopped.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? CancelRequestedAt { get; init; }

    public double? TimeToFirstTokenMs { get; init; }

    public double? DurationMs { get; init; }

    /// <summary>The code of what the caller was told in place of a whole answer.</summary>
    public string? Error { get; init; }

    /// <summary>Of a denied request: the sentence the caller was told.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Reason { get; init; }

    /// <summary>Whether another than the plan's first choice was asked, or more than one.</summary>
    public bool Fallback { get; init; }

    /// <summary><c>manual</c> when no model answered.</summary>
    public string? Degraded { get; init; }

    public int? AttemptsMade { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<AttemptView>? Attempts { get; init; }

    public RequestUsageView? Usage { get; init; }

    public DecisionView? Decision { get; init; }

    /// <param name="registry">The one in force, which knows what answers by hand; null when none is known.</param>
    public static RequestView Of(RequestRecord record, Registry? registry) => new()
    {
        Id = record.RequestId,
        State = record.Outcome is { } outcome ? UsageQuestion.OutcomeName(outcome) : UsageQuestion.Running,
        Project = record.Project,
        User = record.User,
        KeyId = record.KeyId,
        Tier = record.Tier,
        UseCase = record.UseCase,
        Operation = record.Operation,
        Stream = record.Stream,
        Model = record.Model,
        Provider = record.Provider,
        Region = record.Region,
        UpstreamModel = record.UpstreamModel,
        UpstreamVersion = record.UpstreamVersion,
        AcceptedAt = record.AcceptedAt,
        EndedAt = record.SettledAt,
        CancelRequestedAt = record.CancelRequestedAt,
        TimeToFirstTokenMs = record.TimeToFirstTokenMs,
        DurationMs = record.DurationMs,
        Error = record.Error,
        Fallback = record.AttemptsMade > 1 || record.Deployment != record.FirstDeployment,
        Degraded = registry is not null && registry.Deployments.TryGetValue(record.Deployment, out var deployment) && deployment.Provider.Kind == ProviderKind.Manual ? "manual" : null,
        AttemptsMade = record.AttemptsMade,
        Attempts = record.Attempts.Count > 0 ? [.. record.Attempts.Select(AttemptView.Of)] : null,
        Usage = record.Evidence is null ? null : RequestUsageView.Of(record),
        Decision = DecisionView.Of(record.PolicyDecisionId, record.Policy),
    };

    public static RequestView ForOperator(RequestRecord record) => Of(record, registry: null) with
    {
        Tenant = record.Tenant,
        Deployment = record.Deployment,
        Attempts = record.Attempts.Count > 0 ? [.. record.Attempts.Select(attempt => AttemptView.Of(attempt) with { Deployment = attempt.Deployment })] : null,
    };

    /// <summary>It was never admitted: it ran nowhere and costs nothing.</summary>
    public static RequestView OfDenial(AuditRecord denial)
    {
        using var document = JsonDocument.Parse(denial.Body);
        var data = document.RootElement.GetProperty("data");
        return new RequestView
        {
            Id = denial.Id,
            State = "denied",
            Project = denial.Project,
            User = Text("user"),
            KeyId = Text("key_id")!,
            Tier = Text("tier"),
            UseCase = Text("use_case"),
            Operation = Text("operation")!,
            Stream = data.GetProperty("stream").GetBoolean(),
            Model = Text("model")!,
            AcceptedAt = denial.RecordedAt,
            EndedAt = denial.RecordedAt,
            Error = Text("error"),
            Reason = Text("reason"),
            AttemptsMade = 0,
            Decision = DecisionView.Of(Text("policy_decision_id"), data.GetProperty("policy") is { ValueKind: JsonValueKind.Object } policy ? policy.GetRawText() : null),
        };

        string? Text(string name) => data.GetProperty(name).GetString();
    }
}

/// <summary>One try at one provider.</summary>
internal sealed record AttemptView(int Ordinal, string Provider, string? Region, int? Status, string? Error, DateTimeOffset StartedAt, double DurationMs)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Deployment { get; init; }

    public static AttemptView Of(Attempt attempt) =>
        new(attempt.Ordinal, attempt.Provider, attempt.Region, attempt.Status, attempt.Error, attempt.StartedAt, attempt.Duration.TotalMilliseconds);
}

/// <summary>What it used in the end, or so far as was last noted.</summary>
internal sealed record RequestUsageView(Evidence Evidence, TokensView Tokens, long CostNanoUsd, string CostUsd, string PriceId)
{
    /// <summary>Of a running request.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? NotedAt { get; init; }

    /// <summary>Only when more became known after the settlement.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Adjusted { get; init; }

    public static RequestUsageView Of(RequestRecord record) =>
        new(record.Evidence!.Value, TokensView.Of(record.Tokens), record.CostNanoUsd, Quantity.Usd(record.CostNanoUsd), record.PriceId) { NotedAt = record.NotedAt, Adjusted = record.Adjusted };
}
