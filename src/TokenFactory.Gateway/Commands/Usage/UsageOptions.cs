using System.CommandLine;
using TokenFactory.Administration.Usage;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Gateway.Commands.Usage;

/// <summary>What both usage commands ask by: the words of <c>GET /v1/usage</c>, and the tenant and project only an operator may choose.</summary>
internal sealed class UsageOptions
{
    private readonly Option<string?> _tenant = new("--tenant") { Description = "Only this tenant's" };
    private readonly Option<string?> _project = new("--project") { Description = "Only this project's" };
    private readonly Option<string?> _key = new("--key") { Description = "Only the key of this id" };
    private readonly Option<string?> _model = new("--model") { Description = "Only this model" };
    private readonly Option<string?> _from = new("--from") { Description = "Accepted at or after this date or time (UTC)" };
    private readonly Option<string?> _until = new("--until") { Description = "Accepted before this date or time (UTC)" };

    public StoreOptions Store { get; } = new();

    public Option<bool> Json { get; } = new("--json") { Description = "As JSON" };

    public static string Explain(UsageRefusal refusal)
    {
        var option = refusal.Parameter == "group_by" ? "by" : refusal.Parameter;
        return $"--{option}: {refusal.Message}";
    }

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _tenant, _project, _key, _model, _from, _until, Json })
        {
            command.Options.Add(option);
        }

        Store.AddTo(command);
    }

    public Dictionary<string, string> Parameters(ParseResult result, params ReadOnlySpan<(string Name, string? Value)> own)
    {
        var parameters = new Dictionary<string, string>(StringComparer.Ordinal);
        Add("key", result.GetValue(_key));
        Add("model", result.GetValue(_model));
        Add("from", result.GetValue(_from));
        Add("until", result.GetValue(_until));
        foreach (var (name, value) in own)
        {
            Add(name, value);
        }

        return parameters;

        void Add(string name, string? value)
        {
            if (value is not null)
            {
                parameters[name] = value;
            }
        }
    }

    public UsageFilter FilterFor(UsageQuestion question, ParseResult result) =>
        question.FilterFor(result.GetValue(_tenant), result.GetValue(_project));
}
