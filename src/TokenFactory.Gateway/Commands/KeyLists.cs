using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using TokenFactory.Administration.Iam;

namespace TokenFactory.Gateway.Commands;

/// <summary>Keys as <c>gateway admin keys list</c> prints them.</summary>
internal static class KeyLists
{
    private static readonly JsonSerializerOptions _json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };

    public static string Json(IReadOnlyList<KeyView> keys) => JsonSerializer.Serialize(keys, _json);

    public static string Table(IReadOnlyList<KeyView> keys) => TextTable.Of(
        ["ID", "NAME", "TENANT", "PROJECT", "USER", "STATE", "SECRETS", "CREATED", "EXPIRES", "ORIGIN", "SCOPES"],
        [.. keys.Select(key => (IReadOnlyList<string>)
        [
            key.Id, key.Name, key.Tenant, key.Project, key.User ?? "-", key.State.ToString().ToLowerInvariant(),
            key.LiveSecrets.ToString(CultureInfo.InvariantCulture), Day(key.CreatedAt), Day(key.ExpiresAt),
            key.Origin.ToString().ToLowerInvariant(), string.Join(',', key.Scopes),
        ])]);

    private static string Day(DateTimeOffset? moment) => moment?.ToString("yyyy-MM-dd HH:mm'Z'", CultureInfo.InvariantCulture) ?? "-";
}
