using System.Collections.Frozen;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Administration.Configuration.Reading.Sections;

/// <summary>The <c>providers</c>: who runs the backends.</summary>
internal static class ProviderSection
{
    public static Named<Provider> Read(Field field)
    {
        var providers = new Named<Provider>("provider");
        foreach (var item in field.Items(1000) ?? [])
        {
            if (item.Required("a provider").Section() is { } section)
            {
                var provider = Read(section);
                providers.Add(section["name"], provider.Name.Length > 0 ? provider.Name : null, provider);
            }
        }

        // The built-in echo model needs its provider whatever else is configured.
        if (!providers.Has(Builtin.Name))
        {
            providers.Add(field, Builtin.Name, Builtin.Provider);
        }

        return providers;
    }

    private static Provider Read(Section section)
    {
        var name = section["name"].Required("the provider's name").Name();
        var kind = section["kind"].Required("openai, anthropic, loopback or manual").Choice(
            ("openai", ProviderKind.OpenAi), ("anthropic", ProviderKind.Anthropic), ("loopback", ProviderKind.Loopback), ("manual", ProviderKind.Manual));
        var region = section["region"].Name();
        var tenant = section["tenant"].Name();
        var (credential, origins) = CredentialReference.Read(section["credential"], tenant, name);
        var (reach, allowsHttp) = ReachFields.Read(section, kind, section["tenant"].IsPresent);
        var contract = new Dictionary<string, bool>(StringComparer.Ordinal);
        if (section["contract"].Section() is { } flags)
        {
            foreach (var flag in flags.Keys.ToArray())
            {
                if (flags[flag].Required("true or false").Flag() is { } value)
                {
                    contract[flag] = value;
                }
            }
        }

        if (kind is not (null or ProviderKind.Loopback) && name == Builtin.Name)
        {
            section["name"].Mistake($"'{Builtin.Name}' is the built-in provider: choose another name");
        }

        if (tenant is not null && name == Builtin.Name)
        {
            section["tenant"].Mistake($"'{Builtin.Name}' is the built-in provider, which is every tenant's: choose another name for one of its own");
        }

        section.RefuseUnknownKeys();
        return new Provider(name ?? "", kind ?? ProviderKind.OpenAi, region, credential)
        {
            Contract = contract.ToFrozenDictionary(StringComparer.Ordinal),
            Tenant = tenant,
            CredentialOrigins = origins,
            Reach = reach,
            AllowsHttp = allowsHttp,
            IsRegistered = section.Bounds is not null,
        };
    }

    /// <summary>In standalone mode all tenants are known here: one that is not owns nothing that anybody could ever reach.</summary>
    public static void RequireTenants(Field field, IEnumerable<string> tenants)
    {
        var known = tenants.ToArray();
        foreach (var item in field.Items(1000) ?? [])
        {
            var reference = item.IsText ? null : item.Section()?["tenant"];
            if (reference?.Name() is { } name && !known.Contains(name, StringComparer.Ordinal))
            {
                reference.Value.Mistake($"there is no tenant named '{name}' (known: {string.Join(", ", known.Take(20))}){KeySpelling.Suggest(name, known)}");
            }
        }
    }
}
