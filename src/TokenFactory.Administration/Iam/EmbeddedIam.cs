using System.Globalization;
using System.Text;
using Microsoft.EntityFrameworkCore;
using TokenFactory.Administration.Configuration;
using TokenFactory.Administration.Configuration.Reading;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Storage;

namespace TokenFactory.Administration.Iam;

/// <summary>
/// Makes, lists, revokes and rotates keys in the tables. Every change raises the read model's version with it, in one
/// transaction, so that whoever serves sees it within a poll. Tenants and projects of the configuration exist here too.
/// </summary>
public sealed class EmbeddedIam
{
    private const int MaxLiveSecrets = 2;

    private readonly IDbContextFactory<GatewayDbContext> _contexts;
    private readonly ConfigurationState _state;
    private readonly PepperRing _peppers;
    private readonly TimeProvider _clock;

    internal EmbeddedIam(IDbContextFactory<GatewayDbContext> contexts, ConfigurationState state, PepperRing peppers, TimeProvider clock)
    {
        _contexts = contexts;
        _state = state;
        _peppers = peppers;
        _clock = clock;
    }

    /// <summary>Raised after a change of this process is committed, so that it need not wait for its own poll.</summary>
    public event Action? Changed;

    /// <summary>Why this installation issues no keys; null when it does.</summary>
    public string? Refusal => _state.Current.Iam.Platform is { } platform
        ? $"keys are the platform's (iam.mode: platform): make, list, revoke and rotate them there; this gateway only reads them, from {platform.Url}"
        : null;

    public async Task<KeyChange> CreateAsync(NewKey ask, CancellationToken cancel)
    {
        if (Refusal is { } refusal)
        {
            return KeyChange.Refused(refusal);
        }

        var now = _clock.GetUtcNow();
        var mistakes = NewKeyCheck.MistakesOf(ask, now);
        if (mistakes.Count > 0)
        {
            return KeyChange.Refused(string.Join("; ", mistakes));
        }

        await using var context = await _contexts.CreateDbContextAsync(cancel);
        var configuration = _state.Current;
        var subjects = await SubjectsAsync(context, configuration, cancel);
        if (Misplaced(subjects, ask) is { } misplaced)
        {
            return KeyChange.Refused(misplaced);
        }

        await MirrorAsync(context, configuration, ask, now, cancel);
        var minted = KeyMint.Mint(KeyMint.NewId());
        var scopes = ask.Scopes.Count > 0 ? ask.Scopes : Scopes.Default;
        context.ApiKeys.Add(new Storage.Iam.ApiKey
        {
            Id = minted.Id,
            Tenant = ask.Tenant,
            Project = ask.Project,
            Name = ask.Name,
            User = ask.User,
            Scopes = string.Join(' ', scopes.Distinct(StringComparer.Ordinal)),
            Models = ask.Models is null ? null : string.Join(' ', ask.Models),
            RequestsPerMinute = ask.RequestsPerMinute,
            TokensPerMinute = ask.TokensPerMinute,
            Concurrent = ask.Concurrent,
            CreatedAt = now,
            ExpiresAt = ask.ExpiresAt,
            Secrets = [SecretOf(minted, configuration, now)],
        });
        await SaveAsync(context, cancel);
        return KeyChange.Done(minted);
    }

    /// <summary>The keys of a tenant (and project), or of all for the operator's own command line; the newest first, the file's last.</summary>
    public async Task<IReadOnlyList<KeyView>> ListAsync(string? tenant, string? project, CancellationToken cancel)
    {
        await using var context = await _contexts.CreateDbContextAsync(cancel);
        var now = _clock.GetUtcNow();
        var rows = await context.ApiKeys.AsNoTracking().Include(key => key.Secrets)
            .Where(key => (tenant == null || key.Tenant == tenant) && (project == null || key.Project == project))
            .ToListAsync(cancel);
        var file = _state.Current.Tenants.SelectMany(t => t.Keys.Select(key => KeyViews.Of(t.Tenant, key, now)));
        return
        [
            .. rows.OrderByDescending(row => row.CreatedAt).Select(row => KeyViews.Of(row, now)),
            .. file.Where(key => (tenant is null || key.Tenant == tenant) && (project is null || key.Project == project)),
        ];
    }

    /// <summary>What requests are judged by, as a gateway that starts now would read it.</summary>
    public async Task<Snapshot> SnapshotAsync(CancellationToken cancel)
    {
        await using var context = await _contexts.CreateDbContextAsync(cancel);
        var rows = await IamRows.ReadAsync(context, cancel);
        var configuration = _state.Current;
        return new SnapshotBuilder(configuration, rows, _peppers.Of(configuration)).Build(rows.Version);
    }

    /// <summary>Revoking a revoked key changes nothing and succeeds.</summary>
    public async Task<KeyChange> RevokeAsync(string id, CancellationToken cancel)
    {
        if (Refusal is { } refusal)
        {
            return KeyChange.Refused(refusal);
        }

        await using var context = await _contexts.CreateDbContextAsync(cancel);
        if (await context.ApiKeys.SingleOrDefaultAsync(row => row.Id == id, cancel) is not { } key)
        {
            return Unknown(id);
        }

        if (key.RevokedAt is null)
        {
            key.RevokedAt = _clock.GetUtcNow();
            await SaveAsync(context, cancel);
        }

        return KeyChange.Done();
    }

    /// <summary>Adds a secret; the older one works until <paramref name="overlap"/> is over. An even older one stops at once: never more than two are live.</summary>
    public async Task<KeyChange> RotateAsync(string id, TimeSpan overlap, CancellationToken cancel)
    {
        if (Refusal is { } refusal)
        {
            return KeyChange.Refused(refusal);
        }

        await using var context = await _contexts.CreateDbContextAsync(cancel);
        if (await context.ApiKeys.Include(row => row.Secrets).SingleOrDefaultAsync(row => row.Id == id, cancel) is not { } key)
        {
            return Unknown(id);
        }

        var now = _clock.GetUtcNow();
        if (key.RevokedAt is not null || key.ExpiresAt <= now)
        {
            return KeyChange.Refused($"key {id} is {(key.RevokedAt is null ? "expired" : "revoked")}: create a new one");
        }

        var live = key.Secrets.Where(secret => secret.ExpiresAt is null || secret.ExpiresAt > now).OrderByDescending(secret => secret.CreatedAt).ToArray();
        for (var i = 0; i < live.Length; i++)
        {
            var end = i < MaxLiveSecrets - 1 ? now + overlap : now;
            live[i].ExpiresAt = live[i].ExpiresAt < end ? live[i].ExpiresAt : end;
        }

        var minted = KeyMint.Mint(id);
        context.ApiKeySecrets.Add(SecretOf(minted, _state.Current, now));
        await SaveAsync(context, cancel);
        return KeyChange.Done(minted);
    }

    private static async Task<Subjects> SubjectsAsync(GatewayDbContext context, GatewayConfiguration configuration, CancellationToken cancel) =>
        new(configuration, await context.Tenants.AsNoTracking().ToListAsync(cancel), await context.Projects.AsNoTracking().ToListAsync(cancel));

    private static string? Misplaced(Subjects subjects, NewKey ask)
    {
        if (subjects.Find(ask.Tenant) is not { } tenant)
        {
            return Unknown("tenant", ask.Tenant, subjects.Tenants.Select(t => t.Tenant.Name));
        }

        if (!tenant.Projects.Any(project => project.Name == ask.Project))
        {
            return Unknown($"project of tenant {ask.Tenant}", ask.Project, tenant.Projects.Select(project => project.Name));
        }

        return ask.User is { } user && Subjects.FindUser(tenant, user) is null
            ? Unknown($"user of tenant {ask.Tenant}", user, tenant.Users.Select(u => u.Name))
            : null;
    }

    private static string Unknown(string what, string name, IEnumerable<string> known)
    {
        var names = known.Order(StringComparer.Ordinal).ToArray();
        return string.Create(
            CultureInfo.InvariantCulture,
            $"there is no {what} named '{name}'; known: {(names.Length == 0 ? "none" : string.Join(", ", names))}{KeySpelling.Suggest(name, names)}");
    }

    // A key's row refers to rows: those of the file's tenants only stand for them, and count for nothing once the file drops them.
    private static async Task MirrorAsync(
        GatewayDbContext context, GatewayConfiguration configuration, NewKey ask, DateTimeOffset now, CancellationToken cancel)
    {
        if (!configuration.Tenants.Any(tenant => tenant.Tenant.Name == ask.Tenant))
        {
            return;
        }

        var row = await context.Tenants.FindAsync([ask.Tenant], cancel);
        if (row is null)
        {
            context.Tenants.Add(new Storage.Iam.Tenant { Name = ask.Tenant, FromFile = true, CreatedAt = now });
        }
        else
        {
            row.FromFile = true;
        }

        if (await context.Projects.FindAsync([ask.Tenant, ask.Project], cancel) is null)
        {
            context.Projects.Add(new Storage.Iam.Project { Tenant = ask.Tenant, Name = ask.Project, CreatedAt = now });
        }
    }

    private Storage.Iam.ApiKeySecret SecretOf(MintedKey minted, GatewayConfiguration configuration, DateTimeOffset now)
    {
        var pepper = _peppers.Of(configuration)[0];
        return new Storage.Iam.ApiKeySecret
        {
            Id = Ids.New(_clock),
            KeyId = minted.Id,
            PepperVersion = pepper.Version,
            Digest = pepper.Digest(Encoding.ASCII.GetBytes(minted.Key.Reveal())).ToBytes(),
            CreatedAt = now,
        };
    }

    private KeyChange Unknown(string id) => KeyChange.Refused(
        _state.Current.Tenants.Any(tenant => tenant.Keys.Any(key => key.Id == id))
            ? $"key {id} is written in the configuration file: change it there"
            : $"there is no key with the id '{id}': `gateway admin keys list` shows them");

    private async Task SaveAsync(GatewayDbContext context, CancellationToken cancel)
    {
        await context.SaveIamChangesAsync(cancel);
        Changed?.Invoke();
    }
}
