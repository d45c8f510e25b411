using System.CommandLine;
using System.Text.Json;
using TokenFactory.Administration;
using TokenFactory.Administration.Audit;
using TokenFactory.Gateway.Hosting;
using TokenFactory.Inference.Intake;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.Routing;

namespace TokenFactory.Gateway.Commands;

/// <summary>
/// <c>gateway admin explain</c>: what would become of a request, and by which rule; with <c>--request</c>, what became of one. Sends
/// nothing and counts nothing.
/// </summary>
internal static class ExplainCommand
{
    private const long UsualInputTokens = 1000;

    private static readonly JsonSerializerOptions _json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true };

    private static readonly Option<string?> _request = new("--request") { Description = "A request that was made: its x-request-id" };
    private static readonly Option<string?> _key = new("--key") { Description = "The id of the key that asks, as `admin keys list` shows it" };
    private static readonly Option<string?> _model = new("--model") { Description = "The model it asks for" };
    private static readonly Option<string> _operation = new("--operation") { Description = OperationNames.Known, DefaultValueFactory = _ => "chat" };
    private static readonly Option<long> _input = new("--input-tokens") { Description = "How long its input is", DefaultValueFactory = _ => UsualInputTokens };
    private static readonly Option<long?> _output = new("--max-tokens") { Description = "What it bounds its output to" };
    private static readonly Option<string?> _useCase = new("--use-case") { Description = "X-TF-Use-Case" };
    private static readonly Option<string?> _tier = new("--tier") { Description = "X-TF-Tier" };
    private static readonly Option<string?> _environment = new("--environment") { Description = "X-TF-Environment" };
    private static readonly Option<string?> _userRole = new("--user-role") { Description = "X-TF-User-Role" };
    private static readonly Option<string?> _region = new("--region") { Description = "X-TF-Region" };
    private static readonly Option<string?> _classification = new("--classification") { Description = "X-TF-Classification" };
    private static readonly Option<string?> _safetyProfile = new("--safety-profile") { Description = "X-TF-Safety-Profile" };
    private static readonly Option<string?> _controls = new("--controls") { Description = "X-TF-Controls, separated by commas" };
    private static readonly Option<bool> _asJson = new("--json") { Description = "As JSON" };

    public static Command Create()
    {
        var store = new StoreOptions();
        var command = new Command("explain", "Tell what would become of a request (--key, --model), or what became of one (--request): which deployments are tried, which are left out, and why")
        {
            _request, _key, _model, _operation, _input, _output, _useCase, _tier, _environment, _userRole, _region, _classification, _safetyProfile, _controls, _asJson,
        };
        store.AddTo(command);
        command.Validators.Add(static result =>
        {
            var given = (result.GetValue(_request), result.GetValue(_key), result.GetValue(_model));
            if (given is not ((not null, null, null) or (null, not null, not null)))
            {
                result.AddError("Give --key and --model for a request that might be made, or --request alone for one that was.");
            }
        });
        command.SetAction((result, cancel) => OpenedStore.RunAsync(store, result, opened => RunAsync(opened, result, cancel), cancel));
        return command;
    }

    private static async Task<int> RunAsync(OpenedStore opened, ParseResult result, CancellationToken cancel)
    {
        if (result.GetValue(_request) is { } request)
        {
            return await RecordAsync(opened, request, result.GetValue(_asJson), cancel);
        }

        if (opened.Iam.Refusal is { } refusal)
        {
            return await OpenedStore.RefuseAsync(refusal);
        }

        if (OperationNames.Find(result.GetValue(_operation)!) is not { } operation)
        {
            return await OpenedStore.RefuseAsync($"--operation: write {OperationNames.Known}");
        }

        var snapshot = await opened.Iam.SnapshotAsync(cancel);
        var id = result.GetValue(_key);
        if (snapshot.Keys.Secrets.FirstOrDefault(secret => secret.Key.Id == id)?.Key is not { } key)
        {
            return await OpenedStore.RefuseAsync($"There is no key with the id '{id}'. List the keys with `gateway admin keys list`.");
        }

        var imagined = new ImaginedRequest(operation, result.GetValue(_model)!, GovernanceOf(result), result.GetValue(_input), result.GetValue(_output));
        var explanation = Explainer.Explain(snapshot, key, imagined, Mapping.Guard(opened.Configuration), opened.Clock);
        await Console.Out.WriteLineAsync(result.GetValue(_asJson) ? Json(key, explanation) : Text(key, explanation));
        return 0;
    }

    private static async Task<int> RecordAsync(OpenedStore opened, string request, bool asJson, CancellationToken cancel)
    {
        if (!Guid.TryParseExact(request, "D", out var id))
        {
            return await OpenedStore.RefuseAsync($"--request: '{request}' is no request id. Write the x-request-id of a response.");
        }

        if (await opened.AuditTrail.FindAsync(id, tenant: null, cancel) is not { } record)
        {
            return await OpenedStore.RefuseAsync(
                $"There is no record of {request}: it is under way still, was refused before the policy was asked (401, 404, 429, a missing scope: see the log), or never was here.");
        }

        try
        {
            await Console.Out.WriteLineAsync(asJson ? AuditJson.Of(record) : ExplainedRecord.Text(record));
            return 0;
        }
        catch (Exception unreadable) when (unreadable is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return await OpenedStore.RefuseAsync($"The record of {request} is not what a gateway wrote. Run `gateway audit verify`.");
        }
    }

    private static Governance GovernanceOf(ParseResult result) => new()
    {
        UseCase = result.GetValue(_useCase),
        Tier = result.GetValue(_tier),
        Environment = result.GetValue(_environment),
        UserRole = result.GetValue(_userRole),
        Region = result.GetValue(_region),
        Classification = result.GetValue(_classification),
        SafetyProfile = result.GetValue(_safetyProfile),
        Controls = Words.List(result.GetValue(_controls)) ?? [],
    };

    private static string Text(ApiKey key, Explanation explanation)
    {
        var lines = new List<string>
        {
            $"key {key.Id} ({key.Name}) of {key.Tenant.Name}/{key.Project.Name}, tier {key.Tenant.Tier?.Name ?? "none"}",
        };
        if (explanation.BundleVersion is { } version)
        {
            lines.Add($"policy bundle {version}; rules that match: {(explanation.Rules.Count == 0 ? "none" : string.Join(", ", explanation.Rules))}");
        }

        lines.Add(explanation.Refusal is { } refusal ? $"refused with {refusal.Status} {refusal.Code ?? refusal.Label}: {refusal.Message}" : "served; tried in this order:");
        if (explanation.Candidates.Count > 0)
        {
            lines.Add(TextTable.Of(
                ["deployment", "provider", "region", "costs at most"],
                [.. explanation.Candidates.Select(one => (string[])[one.Deployment, one.Provider, one.Region ?? "-", one.MaxCostNanoUsd is { } cost ? $"{Words.Usd(cost)} USD" : "unbounded"])]));
        }

        if (explanation.Exclusions.Count > 0)
        {
            lines.Add("left out:");
            lines.Add(TextTable.Of(
                ["deployment", "provider", "region", "reason", "rule"],
                [.. explanation.Exclusions.Select(one => (string[])[one.Deployment, one.Provider, one.Region ?? "-", one.Reason, one.Rule ?? "-"])]));
        }

        if (explanation.External is { } endpoint)
        {
            lines.Add($"a real request would also ask {endpoint}, which was not asked now and can only narrow this");
        }

        lines.AddRange(Shadowed(explanation.Shadow));
        return string.Join(Environment.NewLine, lines);
    }

    private static IEnumerable<string> Shadowed(ExplainedShadow? shadow)
    {
        if (shadow is null)
        {
            yield break;
        }

        var verdict = shadow.Verdict;
        yield return ShadowText.Line(shadow.BundleVersion, verdict.Word, string.Join(", ", verdict.Reasons), string.Join(", ", verdict.Admitted));
        if (verdict.Excluded.Count > 0)
        {
            yield return ShadowText.Excluded([.. verdict.Excluded.Select(one => (string[])[one.Deployment, one.Reason, one.Rule ?? "-"])]);
        }
    }

    private static string Json(ApiKey key, Explanation explanation) => JsonSerializer.Serialize(
        new
        {
            key = key.Id,
            tenant = key.Tenant.Name,
            project = key.Project.Name,
            tier = key.Tenant.Tier?.Name,
            served = explanation.Refusal is null,
            refusal = explanation.Refusal is { } refusal ? new { status = refusal.Status, code = refusal.Code, message = refusal.Message } : null,
            bundle = explanation.BundleVersion,
            rules = explanation.Rules,
            candidates = explanation.Candidates,
            exclusions = explanation.Exclusions,
            external = explanation.External,
            shadow = explanation.Shadow is { } shadow
                ? new { bundle = shadow.BundleVersion, outcome = shadow.Verdict.Word, reasons = shadow.Verdict.Reasons, excluded = shadow.Verdict.Excluded, admitted = shadow.Verdict.Admitted }
                : null,
        },
        _json);
}
