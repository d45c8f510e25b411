using System.Collections.Frozen;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Administration.Configuration.Reading;

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
        var credential = section["credential"].Secret();
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

        section.RefuseUnknownKeys();
        return new Provider(name ?? "", kind ?? ProviderKind.OpenAi, region, credential)
        {
            Contract = contract.ToFrozenDictionary(StringComparer.Ordinal),
        };
    }
}
