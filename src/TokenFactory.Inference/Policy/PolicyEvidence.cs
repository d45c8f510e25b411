using System.Buffers;
using System.Collections.Frozen;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using TokenFactory.Inference.Intake;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Policies;

namespace TokenFactory.Inference.Policy;

/// <summary>
/// What a request was judged by, and how it came out, as the JSON object that its admission, event and audit record carry
/// (docs/api/audit-record.schema.json). Members that say nothing are left out.
/// </summary>
internal static class PolicyEvidence
{
    private static readonly JsonWriterOptions _plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="decision">Null when the caller's words were not understood.</param>
    /// <param name="shadow">Null without a shadow bundle.</param>
    public static string Of(Snapshot snapshot, Governance declared, Decision? decision, IReadOnlyList<Exclusion> exclusions, ShadowVerdict? shadow)
    {
        if (decision is not { Verdict.Rules.Count: 0, External: null } || exclusions.Count > 0 || declared != Governance.Undeclared || shadow is not (null or { Outcome: ShadowOutcome.Agreed }))
        {
            return Write(snapshot, declared, decision, exclusions, shadow);
        }

        return decision.Regions.Count == 0 ? snapshot.PolicyInForce : OfTenantsRegion(snapshot, decision, shadow);
    }

    /// <summary>Where nothing was declared, the one region is the tenant's own.</summary>
    private static string OfTenantsRegion(Snapshot snapshot, Decision decision, ShadowVerdict? shadow) =>
        snapshot.UsualEvidence.TryGetValue(decision.Tenant.Name, out var text)
            ? text
            : snapshot.UsualEvidence.GetOrAdd(decision.Tenant.Name, Write(snapshot, Governance.Undeclared, decision, [], shadow));

    private static string Write(Snapshot snapshot, Governance declared, Decision? decision, IReadOnlyList<Exclusion> exclusions, ShadowVerdict? shadow)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using var json = new Utf8JsonWriter(buffer, _plain);
        json.WriteStartObject();
        snapshot.WritePolicyInForce(json);
        WriteTexts(json, "rules"u8, decision?.Verdict.Rules ?? []);
        WriteTexts(json, "regions"u8, decision?.Regions ?? []);
        WriteDeclared(json, declared);
        WriteExclusions(json, exclusions);
        if (decision?.External is { } external)
        {
            WriteExternal(json, external);
        }

        if (shadow is not null && snapshot.ShadowPolicy is { } bundle)
        {
            WriteShadow(json, bundle, shadow);
        }

        json.WriteEndObject();
        json.Flush();
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>As the member <c>declared</c>; nothing where nothing is.</summary>
    public static void WriteDeclared(Utf8JsonWriter json, Governance declared)
    {
        if (declared == Governance.Undeclared)
        {
            return;
        }

        json.WriteStartObject("declared"u8);
        WriteWord(json, PolicyAttribute.UseCase, declared.UseCase);
        WriteWord(json, PolicyAttribute.Tier, declared.Tier);
        WriteWord(json, PolicyAttribute.Environment, declared.Environment);
        WriteWord(json, PolicyAttribute.UserRole, declared.UserRole);
        WriteWord(json, PolicyAttribute.Region, declared.Region);
        WriteWord(json, PolicyAttribute.Classification, declared.Classification);
        WriteWord(json, PolicyAttribute.SafetyProfile, declared.SafetyProfile);
        WriteTexts(json, "controls"u8, declared.Controls);
        json.WriteEndObject();
    }

    private static void WriteExclusions(Utf8JsonWriter json, IReadOnlyList<Exclusion> exclusions)
    {
        if (exclusions.Count == 0)
        {
            return;
        }

        json.WriteStartArray("excluded"u8);
        foreach (var exclusion in exclusions)
        {
            json.WriteStartObject();
            json.WriteString("deployment"u8, exclusion.Deployment);
            json.WriteString("reason"u8, exclusion.Reason);
            if (exclusion.Rule is { } rule)
            {
                json.WriteString("rule"u8, rule);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteExternal(Utf8JsonWriter json, ExternalAnswer external)
    {
        json.WriteStartObject("external"u8);
        json.WriteString("endpoint"u8, external.Origin);
        json.WriteString("outcome"u8, external.Word);
        if (external.DecisionId is { } id)
        {
            json.WriteString("decision_id"u8, id);
        }

        WriteTexts(json, "reasons"u8, external.Reasons);
        if (external.Outcome == ExternalOutcome.Restricted)
        {
            json.WriteStartObject("restrict"u8);
            WriteNames(json, "providers"u8, external.Providers);
            WriteNames(json, "regions"u8, external.Regions);
            WriteNames(json, "deployments"u8, external.Deployments);
            WriteNames(json, "models"u8, external.Models);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    /// <summary>An empty list says that nothing may, and is written.</summary>
    private static void WriteNames(Utf8JsonWriter json, ReadOnlySpan<byte> name, FrozenSet<string>? names)
    {
        if (names is null)
        {
            return;
        }

        json.WriteStartArray(name);
        foreach (var text in names.Order(StringComparer.Ordinal))
        {
            json.WriteStringValue(text);
        }

        json.WriteEndArray();
    }

    private static void WriteShadow(Utf8JsonWriter json, PolicyBundle bundle, ShadowVerdict shadow)
    {
        json.WriteStartObject("shadow"u8);
        json.WriteString("bundle"u8, bundle.Version);
        json.WriteString("outcome"u8, shadow.Word);
        WriteTexts(json, "reasons"u8, shadow.Reasons);
        WriteExclusions(json, shadow.Excluded);
        WriteTexts(json, "admitted"u8, shadow.Admitted);
        json.WriteEndObject();
    }

    private static void WriteWord(Utf8JsonWriter json, PolicyAttribute attribute, string? word)
    {
        if (word is not null)
        {
            json.WriteString(PolicyWords.Of(attribute), word);
        }
    }

    private static void WriteTexts(Utf8JsonWriter json, ReadOnlySpan<byte> name, IReadOnlyList<string> texts)
    {
        if (texts.Count == 0)
        {
            return;
        }

        json.WriteStartArray(name);
        foreach (var text in texts)
        {
            json.WriteStringValue(text);
        }

        json.WriteEndArray();
    }
}
