using System.Collections.Frozen;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Keys;

namespace TokenFactory.Administration.Iam.Platform;

/// <summary>
/// Everything the platform said up to a version, changed entry by entry; what requests see of it is <see cref="Build"/>'s.
/// A change of a key costs that key; a change of a tier, tenant, project or user costs one look at each key and a new entry
/// for those under it. A key that cannot be placed is there as a revoked one: its holder is told so, and it opens nothing.
/// For one thread.
/// </summary>
internal sealed class PlatformModel
{
    private readonly Dictionary<string, Tier> _tiers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TenantEntry> _tenantEntries = new(StringComparer.Ordinal);
    private readonly Dictionary<SubjectId, Project> _projects = [];
    private readonly Dictionary<SubjectId, User> _users = [];
    private readonly Dictionary<string, HeldKey> _keys = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Tenant> _tenants = new(StringComparer.Ordinal);
    private readonly KeyTableBuilder _table = KeyTable.Empty.Change();
    private readonly HashSet<SubjectId> _seen = [];
    private readonly HashSet<SubjectId> _changed = [];
    private readonly HashSet<string> _misplaced = new(StringComparer.Ordinal);
    private FrozenDictionary<string, Tenant>? _tenantsInForce;
    private bool _isBuilt;

    public int Keys => _keys.Count;

    public void Take(Entry entry, Remarks remarks)
    {
        if (!IsFirst(entry))
        {
            entry = new BrokenEntry(entry.Id, "it is there twice in one answer");
        }

        if (entry is BrokenEntry broken)
        {
            remarks.Add($"{broken.Id}: {broken.Why}; it is refused");
        }

        if (entry.Id.Kind == SubjectKind.Key)
        {
            TakeKey(entry, remarks);
        }
        else
        {
            TakeSubject(entry);
        }
    }

    /// <summary>What is in force from now on, with everything that was taken.</summary>
    public (KeyTable Keys, FrozenDictionary<string, Tenant> Tenants) Build(Remarks remarks)
    {
        PlaceAgain();
        foreach (var id in _misplaced)
        {
            remarks.Add($"key {id}: its tenant, tier, project or user is not there; it is refused as revoked");
        }

        _misplaced.Clear();
        _seen.Clear();
        if (!_isBuilt)
        {
            _keys.TrimExcess();
            _isBuilt = true;
        }

        return (_table.Build(), _tenantsInForce ??= _tenants.ToFrozenDictionary(StringComparer.Ordinal));
    }

    // Of a full answer the keys themselves are the memory of what was seen: a million ids need not be kept twice.
    private bool IsFirst(Entry entry) =>
        entry is KeyEntry && !_isBuilt
            ? !_keys.ContainsKey(entry.Id.Name) && !_seen.Contains(entry.Id)
            : _seen.Add(entry.Id) && (_isBuilt || entry.Id.Kind != SubjectKind.Key || !_keys.ContainsKey(entry.Id.Name));

    private void TakeSubject(Entry entry)
    {
        switch (entry)
        {
            case TierEntry tier:
                _tiers[tier.Id.Name] = tier.Tier;
                break;
            case TenantEntry tenant:
                _tenantEntries[tenant.Id.Name] = tenant;
                break;
            case ProjectEntry project:
                _projects[project.Id] = project.Project;
                break;
            case UserEntry user:
                _users[user.Id] = user.User;
                break;
            default:
                RemoveSubject(entry.Id);
                break;
        }

        _changed.Add(entry.Id);
    }

    private void RemoveSubject(SubjectId id)
    {
        switch (id.Kind)
        {
            case SubjectKind.Tier:
                _tiers.Remove(id.Name);
                break;
            case SubjectKind.Tenant:
                _tenantEntries.Remove(id.Name);
                break;
            case SubjectKind.Project:
                _projects.Remove(id);
                break;
            default:
                _users.Remove(id);
                break;
        }
    }

    private void TakeKey(Entry entry, Remarks remarks)
    {
        switch (entry)
        {
            case KeyEntry key:
                SetKey(key, remarks);
                break;
            case BrokenEntry when _keys.TryGetValue(entry.Id.Name, out var held):
                Replace(held with { IsClosed = true });
                break;
            case RemovedEntry when _keys.Remove(entry.Id.Name, out var held):
                Forget(held.Digests);
                _misplaced.Remove(entry.Id.Name);
                break;
        }
    }

    private void SetKey(KeyEntry entry, Remarks remarks)
    {
        if (_keys.Count == 0)
        {
            // What stands before the first key needs no second look at any.
            PlaceAgain();
        }

        if (entry.Fault is { } fault)
        {
            remarks.Add($"{entry.Id}: {fault}; it is refused as revoked");
        }

        if (_keys.TryGetValue(entry.Id.Name, out var before))
        {
            Forget(before.Digests);
        }

        var isClosed = entry.Key.IsRevoked || entry.Fault is not null;
        var key = Placed(entry.Key, isClosed);
        var digests = new List<KeyDigest>(entry.Secrets.Count);
        foreach (var secret in entry.Secrets)
        {
            if (_table.Find(secret.Digest) is { } other)
            {
                remarks.Add($"{entry.Id}: a secret of it is that of key {other.Key.Id}, which keeps it");
                continue;
            }

            remarks.Needs(secret.PepperVersion, entry.Id);
            _table.Set(secret.Digest, new KeySecret(key, secret.ExpiresAt));
            digests.Add(secret.Digest);
        }

        _keys[key.Id] = new HeldKey(key, [.. digests], isClosed);
    }

    private void Forget(KeyDigest[] digests)
    {
        foreach (var digest in digests)
        {
            _table.Remove(digest);
        }
    }

    private void PlaceAgain()
    {
        if (_changed.Count == 0)
        {
            return;
        }

        var tenants = ChangedTenants();
        foreach (var name in tenants)
        {
            if (_tenantEntries.TryGetValue(name, out var entry) && (entry.Tier is null || _tiers.ContainsKey(entry.Tier)))
            {
                _tenants[name] = entry.Tenant with { Tier = entry.Tier is null ? null : _tiers[entry.Tier] };
            }
            else
            {
                // Without its tier nothing bounds it: it is as good as gone.
                _tenants.Remove(name);
            }
        }

        _tenantsInForce = null;
        KeysUnder(tenants).ForEach(Replace);
        _changed.Clear();
    }

    // One look at each key: what did not change at all is not asked for.
    private List<HeldKey> KeysUnder(HashSet<string> tenants)
    {
        var projects = _changed.Any(id => id.Kind == SubjectKind.Project);
        var users = _changed.Any(id => id.Kind == SubjectKind.User);
        var under = new List<HeldKey>();
        foreach (var held in _keys.Values)
        {
            if ((tenants.Count > 0 && tenants.Contains(held.Key.Tenant.Name))
                || (projects && _changed.Contains(ProjectOf(held.Key)))
                || (users && held.Key.User is not null && _changed.Contains(UserOf(held.Key))))
            {
                under.Add(held);
            }
        }

        return under;
    }

    private HashSet<string> ChangedTenants()
    {
        var tenants = _changed.Where(id => id.Kind == SubjectKind.Tenant).Select(id => id.Name).ToHashSet(StringComparer.Ordinal);
        if (_changed.Any(id => id.Kind == SubjectKind.Tier))
        {
            tenants.UnionWith(_tenantEntries.Values
                .Where(tenant => tenant.Tier is { } tier && _changed.Contains(new SubjectId(SubjectKind.Tier, null, tier)))
                .Select(tenant => tenant.Id.Name));
        }

        return tenants;
    }

    private void Replace(HeldKey held)
    {
        var key = Placed(held.Key, held.IsClosed);
        foreach (var digest in held.Digests)
        {
            _table.Set(digest, new KeySecret(key, _table.Find(digest)!.ExpiresAt));
        }

        _keys[key.Id] = held with { Key = key };
    }

    private ApiKey Placed(ApiKey key, bool isClosed)
    {
        var tenant = _tenants.GetValueOrDefault(key.Tenant.Name);
        var project = _projects.GetValueOrDefault(ProjectOf(key));
        var user = key.User is null ? null : _users.GetValueOrDefault(UserOf(key));
        var isMisplaced = tenant is null || project is null || (key.User is not null && user is null);
        _ = isMisplaced && !isClosed ? _misplaced.Add(key.Id) : _misplaced.Remove(key.Id);
        return key with
        {
            Tenant = tenant ?? key.Tenant,
            Project = project ?? key.Project,
            User = user ?? key.User,
            IsRevoked = isClosed || isMisplaced,
        };
    }

    private static SubjectId ProjectOf(ApiKey key) => new(SubjectKind.Project, key.Tenant.Name, key.Project.Name);

    private static SubjectId UserOf(ApiKey key) => new(SubjectKind.User, key.Tenant.Name, key.User!.Name);
}
