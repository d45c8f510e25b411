using System.Collections.Frozen;
using TokenFactory.Administration.Configuration.Settings;
using TokenFactory.Inference.Access;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Keys;
using TokenFactory.Inference.ReadModel.Routes;

namespace TokenFactory.Administration.Configuration.Reading.Sections;

/// <summary>The <c>keys</c> of a tenant. Ids and secrets are unique over all tenants: a key is looked up before its tenant is known.</summary>
internal sealed class KeySection(IReadOnlyList<Pepper> peppers)
{
    private const int MinSecretLength = 20;
    private const string HashForm = "write hmac-sha256:<pepper version>:<64 hex characters or base64url>, as `gateway admin keys` prints it";

    private readonly Dictionary<string, string> _ids = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _secrets = new(StringComparer.Ordinal);

    public IReadOnlyList<KeySettings> Read(Field field, string tenant, Named<Project> projects, Named<User> users)
    {
        var keys = new Named<KeySettings>("key");
        foreach (var item in field.Items(100_000) ?? [])
        {
            if (item.Required("a key").Section() is { } section)
            {
                var name = section["name"].Required("the key's name").Name();
                keys.Add(section["name"], name, Read(section, tenant, name ?? "", projects, users));
            }
        }

        return [.. keys.Values];
    }

    private KeySettings Read(Section section, string tenant, string name, Named<Project> projects, Named<User> users)
    {
        var secret = section["secret"].Secret(MinSecretLength);
        var hash = HashOf(section["hash"]);
        if (section["secret"].IsPresent == section["hash"].IsPresent)
        {
            section.Mistake("write either secret (a reference to the whole key) or hash (its digest)");
        }

        OnceOnly(_secrets, secret?.Reveal() ?? hash?.ToString(), section[secret is null ? "hash" : "secret"], "this is the same key as at");
        var id = section["id"].IsPresent ? Id(section["id"]) : KeyIds.Derive(tenant, name);
        OnceOnly(_ids, id, section["id"], "this id belongs to the key at");
        var key = new KeySettings
        {
            Id = id ?? "",
            Name = name,
            Project = projects.Find(section["project"].Required("the name of a project of this tenant")) ?? new Project("", null, ModelAllowList.All, LimitSet.None),
            User = users.Find(section["user"]),
            Scopes = ScopesOf(section["scopes"]),
            Models = ModelSection.AllowList(section["models"]),
            Limits = Limits.Read(section),
            ExpiresAt = section["expires"].Moment(),
            Secret = secret,
            Hash = hash,
        };
        section.RefuseUnknownKeys();
        return key;
    }

    private static void OnceOnly(Dictionary<string, string> seen, string? what, Field field, string message)
    {
        if (what is not null && !seen.TryAdd(what, field.Path))
        {
            field.Mistake($"{message} {seen[what]}");
        }
    }

    private static string? Id(Field field)
    {
        var id = field.Text();
        if (id is not null && (id.Length != KeyFormat.IdLength || !id.All(char.IsAsciiLetterOrDigit)))
        {
            field.Mistake($"a key's id has {KeyFormat.IdLength} letters and digits; leave it out to have one derived");
        }

        return id;
    }

    private static FrozenSet<string> ScopesOf(Field field)
    {
        if (field.Items(64) is not { } items)
        {
            return Scopes.Default.ToFrozenSet(StringComparer.Ordinal);
        }

        var scopes = new HashSet<string>(StringComparer.Ordinal);
        foreach (var item in items)
        {
            if (item.Required("a scope").Text() is { } scope && !scopes.Add(scope) | !Scopes.Known.Contains(scope))
            {
                item.Mistake(Scopes.Known.Contains(scope)
                    ? $"the scope '{scope}' is listed twice"
                    : $"there is no scope '{scope}'; known: {string.Join(", ", Scopes.Known.Order(StringComparer.Ordinal))}{KeySpelling.Suggest(scope, Scopes.Known)}");
            }
        }

        if (items.Count == 0)
        {
            field.Mistake("empty: name what the key may do, or leave it out for the default scopes");
        }

        return scopes.ToFrozenSet(StringComparer.Ordinal);
    }

    private KeyHash? HashOf(Field field)
    {
        if (field.Text() is not { } text)
        {
            return null;
        }

        if (KeyHash.Parse(text) is not { } hash)
        {
            // Not repeated: a whole key pasted here by mistake must not reach a log.
            field.Mistake(HashForm);
            return null;
        }

        var versions = peppers.Count == 0 ? [PepperFile.Version] : peppers.Select(pepper => pepper.Version).ToArray();
        if (!versions.Contains(hash.PepperVersion, StringComparer.Ordinal))
        {
            field.Mistake($"there is no pepper of that version in iam.pepper; known: {string.Join(", ", versions)}");
        }

        return hash;
    }
}
