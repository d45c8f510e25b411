using System.Text.Json;
using System.Text.Json.Serialization;
using TokenFactory.Storage.Audit;

namespace TokenFactory.Administration.Audit;

/// <summary>What an export holds, beside it: kept elsewhere, it proves later that neither the export nor the trail was changed.</summary>
/// <param name="Tenant">Whose records; null for all.</param>
/// <param name="Sha256">Of the exported file, in hexadecimal.</param>
/// <param name="Chains">Where each chain ended when the export began.</param>
public sealed record AuditManifest(
    string Format,
    string? Tenant,
    string? Project,
    DateTimeOffset? From,
    DateTimeOffset? Until,
    long Records,
    string Sha256,
    IReadOnlyList<AuditManifest.ChainEnd> Chains,
    DateTimeOffset ExportedAt,
    string GatewayVersion)
{
    private static readonly JsonSerializerOptions _json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    };

    public string ToJson() => JsonSerializer.Serialize(this, _json);

    /// <exception cref="InvalidDataException">It is not a manifest.</exception>
    public static AuditManifest Parse(string json)
    {
        try
        {
            return JsonSerializer.Deserialize<AuditManifest>(json, _json) is { } manifest && manifest.Chains.All(end => end is not null)
                ? manifest
                : throw new InvalidDataException("not a manifest of an audit export: something in it is null");
        }
        catch (JsonException cause)
        {
            throw new InvalidDataException($"not a manifest of an audit export: {cause.Message}", cause);
        }
    }

    /// <exception cref="InvalidDataException">A hash is not one.</exception>
    public IReadOnlyList<AuditChainEnd> Ends()
    {
        try
        {
            return [.. Chains.Select(end => new AuditChainEnd(end.Chain, end.Sequence, Convert.FromHexString(end.Hash)))];
        }
        catch (FormatException cause)
        {
            throw new InvalidDataException($"not a manifest of an audit export: {cause.Message}", cause);
        }
    }

    /// <param name="Hash">Of its last record, in hexadecimal.</param>
    public sealed record ChainEnd(Guid Chain, long Sequence, string Hash)
    {
        public static ChainEnd Of(AuditChainEnd end) => new(end.Chain, end.Sequence, Convert.ToHexStringLower(end.Hash));
    }
}
