using TokenFactory.Administration.Configuration;
using TokenFactory.Administration.Configuration.Settings;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Routes;

namespace TokenFactory.Administration.Iam;

/// <summary>
/// The tenants there are, from the file and from the tables. The file wins: what it says of a tenant is all there is, so
/// that a project, user or tenant removed from it is gone, and the keys made for it with it.
/// </summary>
internal sealed class Subjects
{
    private readonly Dictionary<string, TenantSettings> _tenants = new(StringComparer.Ordinal);

    public Subjects(GatewayConfiguration configuration, IReadOnlyList<Storage.Iam.Tenant> tenants, IReadOnlyList<Storage.Iam.Project> projects)
    {
        foreach (var tenant in configuration.Tenants)
        {
            _tenants.Add(tenant.Tenant.Name, tenant);
        }

        foreach (var row in tenants.Where(row => !row.FromFile && !_tenants.ContainsKey(row.Name)))
        {
            var tier = configuration.Tiers.FirstOrDefault(tier => tier.Name == row.Tier);
            if (row.Tier is not null && tier is null)
            {
                // Without its tier nothing bounds it: it is as good as gone until the file defines the tier again.
                continue;
            }

            var tenant = new Tenant(row.Name) { Tier = tier, Region = row.Region };
            var own = projects.Where(p => p.Tenant == row.Name).Select(p => new Project(p.Name, p.Department, ModelAllowList.All, LimitSet.None));
            _tenants.Add(row.Name, new TenantSettings(tenant, [.. own], [], []));
        }
    }

    public IReadOnlyCollection<TenantSettings> Tenants => _tenants.Values;

    public TenantSettings? Find(string tenant) => _tenants.GetValueOrDefault(tenant);

    /// <summary>Whose user of that name a key may name: one the file lists, or any where the file lists none.</summary>
    public static User? FindUser(TenantSettings tenant, string name) =>
        tenant.Users.Count == 0 ? new User(name, LimitSet.None) : tenant.Users.FirstOrDefault(user => user.Name == name);
}
