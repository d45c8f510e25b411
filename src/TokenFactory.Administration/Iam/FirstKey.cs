using Microsoft.EntityFrameworkCore;
using TokenFactory.Administration.Configuration;
using TokenFactory.Storage;

namespace TokenFactory.Administration.Iam;

/// <summary>
/// Makes an empty installation usable: a <c>default</c> tenant and project where the file defines no tenant, and one key
/// where there is none at all; nothing where keys are the platform's. The second start finds the key and makes nothing.
/// </summary>
public sealed class FirstKey
{
    public const string DefaultTenant = "default";
    public const string DefaultProject = "default";

    private readonly IDbContextFactory<GatewayDbContext> _contexts;
    private readonly ConfigurationState _state;
    private readonly EmbeddedIam _iam;
    private readonly TimeProvider _clock;

    internal FirstKey(IDbContextFactory<GatewayDbContext> contexts, ConfigurationState state, EmbeddedIam iam, TimeProvider clock)
    {
        _contexts = contexts;
        _state = state;
        _iam = iam;
        _clock = clock;
    }

    /// <summary>The key to show once, or null when there is one already (or nothing to make it for).</summary>
    public async Task<MintedKey?> EnsureAsync(CancellationToken cancel)
    {
        if (_iam.Refusal is not null)
        {
            return null;
        }

        await EnsureTenantAsync(cancel);
        await using (var context = await _contexts.CreateDbContextAsync(cancel))
        {
            if (_state.Current.Tenants.Any(tenant => tenant.Keys.Count > 0) || await context.ApiKeys.AnyAsync(cancel))
            {
                return null;
            }
        }

        var (tenantName, projectName) = (DefaultTenant, DefaultProject);
        if (_state.Current.Tenants.Count > 0)
        {
            if (_state.Current.Tenants.FirstOrDefault(tenant => tenant.Projects.Count > 0) is not { } first)
            {
                return null;
            }

            (tenantName, projectName) = (first.Tenant.Name, first.Projects[0].Name);
        }

        var change = await _iam.CreateAsync(new NewKey { Tenant = tenantName, Project = projectName, Name = "first" }, cancel);
        return change.Minted ?? throw new InvalidOperationException($"the first key was refused: {change.Refusal}");
    }

    /// <summary>Only the tenant and project: what commands need before the first start.</summary>
    public async Task EnsureTenantAsync(CancellationToken cancel)
    {
        if (_iam.Refusal is not null || _state.Current.Tenants.Count > 0)
        {
            return;
        }

        await using var context = await _contexts.CreateDbContextAsync(cancel);
        var now = _clock.GetUtcNow();
        if (await context.Tenants.FindAsync([DefaultTenant], cancel) is not { } tenant)
        {
            context.Tenants.Add(new Storage.Iam.Tenant { Name = DefaultTenant, CreatedAt = now });
        }
        else
        {
            // The file once defined it and now defines no tenant at all: it is the installation's own again.
            tenant.FromFile = false;
        }

        if (await context.Projects.FindAsync([DefaultTenant, DefaultProject], cancel) is null)
        {
            context.Projects.Add(new Storage.Iam.Project { Tenant = DefaultTenant, Name = DefaultProject, CreatedAt = now });
        }

        if (context.ChangeTracker.HasChanges())
        {
            await context.SaveIamChangesAsync(cancel);
        }
    }
}
