using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using TokenFactory.Administration;
using TokenFactory.Administration.Configuration;
using TokenFactory.Storage.Registry;

namespace TokenFactory.Gateway.Commands.Registration;

/// <summary>What is in force of one kind, with where it comes from: as a table, or as JSON of the same cells.</summary>
internal sealed record RegistryRows(IReadOnlyList<string> Heads, IReadOnlyList<IReadOnlyList<string>> Rows)
{
    private static readonly JsonSerializerOptions _indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static RegistryRows Of(RegistryKind kind, GatewayConfiguration configuration, RegistryContent content)
    {
        var origins = content.Documents.Where(document => document.Kind == kind).ToDictionary(
            document => document.Name,
            document => document.Origin == RegistryOrigin.Operator ? $"registry (revision {document.Revision})" : $"control plane (revision {document.Revision})",
            StringComparer.Ordinal);
        return kind switch
        {
            RegistryKind.Provider => new(
                ["provider", "kind", "region", "contract", "from"],
                [.. configuration.Providers.Select(one => Row(one.Name, one.Kind.ToString().ToLowerInvariant(), one.Region, string.Join(' ', one.Contract.Where(flag => flag.Value).Select(flag => flag.Key)), From(one.Name)))]),
            RegistryKind.Deployment => new(
                ["deployment", "provider", "region", "site", "model", "state", "replicas", "usd per million in/out", "from"],
                [.. configuration.Deployments.Select(one => Row(
                    one.Name, one.Provider.Name, one.EffectiveRegion, one.Site, one.UpstreamModel, one.IsEnabled ? "enabled" : "disabled",
                    one.Endpoints.Count.ToString(CultureInfo.InvariantCulture), $"{Words.Usd(one.Price.InputNanoUsd)}/{Words.Usd(one.Price.OutputNanoUsd)}", From(one.Name)))]),
            RegistryKind.Model => new(
                ["model", "strategy", "deployments", "from"],
                [.. configuration.Models.Select(one => Row(
                    one.Pattern.ToString(), one.Strategy.ToString().ToLowerInvariant(), string.Join(' ', one.Targets.Select(target => target.Deployment.Name)), From(one.Pattern.ToString())))]),
            _ => new(["tier", "from"], [.. configuration.Tiers.Select(one => Row(one.Name, From(one.Name)))]),
        };

        string From(string name) => origins.GetValueOrDefault(name, "file");
    }

    public static string Indented(string json) => JsonNode.Parse(json)!.ToJsonString(_indented);

    public string Table() => TextTable.Of(Heads, Rows);

    public string Json() => JsonSerializer.Serialize(Rows.Select(row => Heads.Zip(row).ToDictionary(cell => cell.First.Replace(' ', '_'), cell => cell.Second)), _indented);

    private static string[] Row(params ReadOnlySpan<string?> cells)
    {
        var row = new string[cells.Length];
        for (var i = 0; i < cells.Length; i++)
        {
            row[i] = string.IsNullOrEmpty(cells[i]) ? "-" : cells[i]!;
        }

        return row;
    }
}
