using System.Text.Json;

namespace TokenFactory.Administration.Requests;

/// <summary>What the policy decided of a request, and by what. The deployments it excluded are for the audit trail, which names them.</summary>
/// <param name="Revision">The configuration it was judged by.</param>
/// <param name="Bundle">The version of the policy bundle; null without one.</param>
/// <param name="Rules">The bundle's rules that matched.</param>
/// <param name="Regions">The regions that had to cover the deployment.</param>
internal sealed record DecisionView(string? Id, string? Revision, string? Bundle, IReadOnlyList<string> Rules, IReadOnlyList<string> Regions)
{
    /// <param name="policy">The evidence as it is kept; null where the policy was not asked.</param>
    public static DecisionView? Of(string? id, string? policy)
    {
        if (policy is null)
        {
            return id is null ? null : new DecisionView(id, null, null, [], []);
        }

        using var document = JsonDocument.Parse(policy);
        return new DecisionView(id, Text("revision"), Text("bundle"), Texts("rules"), Texts("regions"));

        string? Text(string name) => document.RootElement.TryGetProperty(name, out var member) ? member.GetString() : null;

        IReadOnlyList<string> Texts(string name) => document.RootElement.TryGetProperty(name, out var member) ? [.. member.EnumerateArray().Select(one => one.GetString()!)] : [];
    }
}
