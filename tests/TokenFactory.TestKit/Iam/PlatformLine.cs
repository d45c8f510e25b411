using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace TokenFactory.TestKit.Iam;

/// <summary>Lines of the read model, as a platform would write them.</summary>
public static class PlatformLine
{
    /// <summary>What the gateway is known by.</summary>
    public const string Credential = "the-gateways-own-credential";

    /// <summary>Version v1 of the pepper, on both sides.</summary>
    public const string Pepper = "a-pepper-of-32-bytes-or-somewhat-more";

    public const string Tenant = "acme";

    public const string Project = "search";

    private static readonly byte[] _pepper = Encoding.UTF8.GetBytes(Pepper);

    /// <summary>A tenant with one project: what a key needs.</summary>
    public static string[] Acme => [Of("tenant", "name", Tenant), Of("project", "name", Project, line => line["tenant"] = Tenant)];

    /// <param name="change">Anything this has no parameter for.</param>
    public static string Key(string id, string secret, Action<JsonObject>? change = null) => Of("key", "id", id, line =>
    {
        line["tenant"] = Tenant;
        line["project"] = Project;
        line["scopes"] = new JsonArray("inference:chat", "models:read", "usage:read");
        line["secrets"] = new JsonArray(Secret(secret));
        change?.Invoke(line);
    });

    public static string RevokedKey(string id, string secret) => Key(id, secret, line => line["revoked"] = true);

    public static JsonObject Secret(string key) => new() { ["hash"] = "hmac-sha256:v1:" + Convert.ToHexStringLower(Digest(key)) };

    public static byte[] Digest(string key) => HMACSHA256.HashData(_pepper, Encoding.UTF8.GetBytes(key));

    public static string Of(string type, string member, string name, Action<JsonObject>? change = null)
    {
        var line = new JsonObject { ["type"] = type, [member] = name };
        change?.Invoke(line);
        return line.ToJsonString();
    }

    public static string Removed(string of, string name, string? tenant = null) => new JsonObject
    {
        ["type"] = "removed",
        ["of"] = of,
        [of == "key" ? "id" : "name"] = name,
        ["tenant"] = tenant,
    }.ToJsonString();

    public static string Header(long version, long? since) =>
        new JsonObject { ["type"] = "read_model", ["schema"] = 1, ["version"] = version, ["since"] = since }.ToJsonString();

    public static string End(long version, long entries) => new JsonObject { ["type"] = "end", ["version"] = version, ["entries"] = entries }.ToJsonString();

    internal static bool IsRemoval(string line) => Parse(line)?["type"]?.GetValue<string>() == "removed";

    /// <summary>A line that is no JSON speaks of itself.</summary>
    internal static string SubjectOf(string line)
    {
        if (Parse(line) is not { } json)
        {
            return line;
        }

        var kind = (json["of"] ?? json["type"])!.ToString();
        return $"{kind} {(kind is "project" or "user" ? json["tenant"] : null)} {json["id"] ?? json["name"]}";
    }

    private static JsonNode? Parse(string line)
    {
        try
        {
            return JsonNode.Parse(line);
        }
        catch (System.Text.Json.JsonException)
        {
            return null;
        }
    }
}
