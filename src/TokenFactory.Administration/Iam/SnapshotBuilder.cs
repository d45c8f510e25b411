using System.Collections.Frozen;
using System.Text;
using TokenFactory.Administration.Configuration;
using TokenFactory.Administration.Configuration.Settings;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Keys;
using TokenFactory.Inference.ReadModel.Routes;

namespace TokenFactory.Administration.Iam;

/// <summary>
/// Configuration and tables → one snapshot. A key that cannot be placed (its project is gone, its row makes no sense) stays
/// as a revoked one: its holder is told so, and it opens nothing.
/// </summary>
internal sealed class SnapshotBuilder(GatewayConfiguration configuration, IamRows rows, IReadOnlyList<Pepper> peppers)
{
    private readonly Subjects _subjects = new(configuration, rows.Tenants, rows.Projects);
    private readonly Dictionary<KeyDigest, KeySecret> _keys = [];
    private readonly HashSet<string> _ids = new(StringComparer.Ordinal);
    private readonly List<string> _remarks = [];

    /// <summary>What an operator should know about the snapshot; holds no secret.</summary>
    public IReadOnlyList<string> Remarks => _remarks;

    public Snapshot Build(long version)
    {
        foreach (var tenant in configuration.Tenants)
        {
            foreach (var key in tenant.Keys)
            {
                AddFromFile(tenant, key);
            }
        }

        foreach (var row in rows.Keys)
        {
            AddFromTables(row);
        }

        return new Snapshot
        {
            Version = version,
            Revision = configuration.Revision,
            Registry = new Registry(configuration.Deployments, configuration.Models),
            Policy = configuration.Policy,
            Infer = configuration.Infer,
            ShadowPolicy = configuration.ShadowPolicy,
            ExternalPolicy = configuration.ExternalPolicy,
            Tenants = _subjects.Tenants.ToFrozenDictionary(t => t.Tenant.Name, t => t.Tenant, StringComparer.Ordinal),
            Keys = KeyTable.Of(_keys),
            Peppers = peppers,
        };
    }

    private void AddFromFile(TenantSettings tenant, KeySettings settings)
    {
        var key = new ApiKey
        {
            Id = settings.Id,
            Name = settings.Name,
            Tenant = tenant.Tenant,
            Project = settings.Project,
            User = settings.User,
            Scopes = settings.Scopes,
            Models = settings.Models,
            Limits = settings.Limits,
            ExpiresAt = settings.ExpiresAt,
        };
        _ids.Add(key.Id);
        var digest = settings.Hash?.Digest
            ?? peppers[0].Digest(Encoding.UTF8.GetBytes(settings.Secret!.Reveal()));
        Add(digest, new KeySecret(key, null));
    }

    private void AddFromTables(Storage.Iam.ApiKey row)
    {
        if (!_ids.Add(row.Id))
        {
            _remarks.Add($"key {row.Id}: the configuration file has a key of this id, which wins");
            return;
        }

        var key = KeyOf(row);
        foreach (var secret in row.Secrets)
        {
            if (!peppers.Any(pepper => pepper.Version == secret.PepperVersion))
            {
                _remarks.Add($"key {row.Id}: it was digested under pepper {secret.PepperVersion}, which is not configured; it cannot be recognised");
            }
            else if (secret.Digest.Length != KeyDigest.SizeBytes)
            {
                _remarks.Add($"key {row.Id}: its stored digest is damaged");
            }
            else
            {
                Add(KeyDigest.From(secret.Digest), new KeySecret(key, secret.ExpiresAt));
            }
        }
    }

    private ApiKey KeyOf(Storage.Iam.ApiKey row)
    {
        var tenant = _subjects.Find(row.Tenant);
        var project = tenant?.Projects.FirstOrDefault(p => p.Name == row.Project);
        var user = tenant is null || row.User is null ? null : Subjects.FindUser(tenant, row.User);
        var models = ModelsOf(row);
        var missing = tenant is null ? $"tenant {row.Tenant}"
            : project is null ? $"project {row.Project}"
            : row.User is not null && user is null ? $"user {row.User}"
            : models is null ? "valid model allow-list"
            : null;
        if (missing is not null && row.RevokedAt is null)
        {
            _remarks.Add($"key {row.Id}: there is no {missing} any more; it is refused as revoked");
        }

        return new ApiKey
        {
            Id = row.Id,
            Name = row.Name,
            Tenant = tenant?.Tenant ?? new Tenant(row.Tenant),
            Project = project ?? new Project(row.Project, null, ModelAllowList.Of([]), LimitSet.None),
            User = user,
            Scopes = row.Scopes.Split(' ', StringSplitOptions.RemoveEmptyEntries).ToFrozenSet(StringComparer.Ordinal),
            Models = models ?? ModelAllowList.Of([]),
            Limits = new LimitSet
            {
                RequestsPerMinute = row.RequestsPerMinute,
                TokensPerMinute = row.TokensPerMinute,
                Concurrent = row.Concurrent,
            },
            ExpiresAt = row.ExpiresAt,
            IsRevoked = row.RevokedAt is not null || missing is not null,
        };
    }

    private static ModelAllowList? ModelsOf(Storage.Iam.ApiKey row)
    {
        try
        {
            return ModelAllowList.Of(row.Models?.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private void Add(KeyDigest digest, KeySecret secret)
    {
        if (!_keys.TryAdd(digest, secret))
        {
            _remarks.Add($"key {secret.Key.Id}: its secret is that of key {_keys[digest].Key.Id}, which wins");
        }
    }
}
