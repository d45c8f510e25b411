using TokenFactory.Administration.Configuration.Settings;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Administration.Configuration.Reading.Sections;

/// <summary>The <c>tiers</c> and <c>tenants</c>: who may call, and within which bounds.</summary>
internal sealed class TenantSection(Named<Provider> providers, KeySection keys)
{
    public static Named<Tier> ReadTiers(Field field)
    {
        var tiers = new Named<Tier>("tier");
        foreach (var item in field.Items(1000) ?? [])
        {
            if (item.Required("a tier").Section() is not { } section)
            {
                continue;
            }

            var name = section["name"].Required("the tier's name").Name();
            var tier = new Tier(
                name ?? "", Limits.Read(section), section["max_input_tokens"].Whole(1, Limits.MaxTokens), ModelSection.AllowList(section["models"]));
            section.RefuseUnknownKeys();
            tiers.Add(section["name"], name, tier);
        }

        return tiers;
    }

    public IReadOnlyList<TenantSettings> ReadTenants(Field field, Named<Tier> tiers)
    {
        var tenants = new Named<TenantSettings>("tenant");
        foreach (var item in field.Items() ?? [])
        {
            if (item.Required("a tenant").Section() is { } section)
            {
                var name = section["name"].Required("the tenant's name").Name();
                tenants.Add(section["name"], name, ReadTenant(section, name ?? "", tiers));
            }
        }

        return [.. tenants.Values];
    }

    private TenantSettings ReadTenant(Section section, string name, Named<Tier> tiers)
    {
        var tenant = new Tenant(name)
        {
            Tier = tiers.Find(section["tier"]),
            Region = section["region"].Name(),
            Routing = RoutingSection.ReadTenant(section, name, providers),
            Limits = Limits.Read(section),
        };

        var projects = new Named<Project>("project");
        foreach (var item in section["projects"].Items() ?? [])
        {
            if (item.Required("a project").Section() is { } project)
            {
                var projectName = project["name"].Required("the project's name").Name();
                var department = project["department"].Name();
                projects.Add(
                    project["name"],
                    projectName,
                    new Project(projectName ?? "", department, ModelSection.AllowList(project["models"]), Limits.Read(project)));
                project.RefuseUnknownKeys();
            }
        }

        var users = new Named<User>("user");
        foreach (var item in section["users"].Items() ?? [])
        {
            if (item.Required("a user").Section() is { } user)
            {
                var userName = user["name"].Required("the user's name").Name();
                users.Add(user["name"], userName, new User(userName ?? "", Limits.Read(user)));
                user.RefuseUnknownKeys();
            }
        }

        var read = keys.Read(section["keys"], name, projects, users);
        section.RefuseUnknownKeys();
        return new TenantSettings(tenant, [.. projects.Values], [.. users.Values], read);
    }
}
