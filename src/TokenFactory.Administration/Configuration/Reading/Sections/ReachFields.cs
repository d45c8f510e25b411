using System.Net;
using System.Net.Sockets;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Addresses;

namespace TokenFactory.Administration.Configuration.Reading.Sections;

/// <summary>
/// Where a provider's endpoints may be: its <c>connect</c>, <c>allow_addresses</c> and <c>allow_http</c>. Whatever a tenant names is at a
/// public address and asked in https, unless an operator permits more.
/// </summary>
internal static class ReachFields
{
    private const int MaxNetworks = 64;

    public static (AddressRule? Rule, bool AllowsHttp) Read(Section provider, ProviderKind? kind, bool isTenants)
    {
        var isPublic = provider["connect"].Choice(("public", true), ("any", false));
        var networks = Networks(provider["allow_addresses"]);
        var allowsHttp = provider["allow_http"].Flag() ?? false;
        if (kind is ProviderKind.Loopback or ProviderKind.Manual)
        {
            Refuse(provider, "this provider answers inside the gateway and connects to nothing", "connect", "allow_addresses", "allow_http");
            return (null, false);
        }

        if (provider.Bounds is { } bounds)
        {
            Refuse(provider, "the file says where registered providers may be: registry.allow_addresses and registry.allow_http_endpoints", "connect", "allow_addresses", "allow_http");
            return (new AddressRule(bounds.Networks), bounds.AllowsHttp);
        }

        if (isTenants && isPublic == false)
        {
            provider["connect"].Mistake("a tenant's own provider is at public addresses: permit the networks that it is in besides with allow_addresses");
        }

        if (isTenants || isPublic == true)
        {
            return (new AddressRule(networks), allowsHttp);
        }

        Refuse(provider, "without connect: public this provider may be at any address and asked in http", "allow_addresses", "allow_http");
        return (null, false);
    }

    private static void Refuse(Section provider, string why, params ReadOnlySpan<string> keys)
    {
        foreach (var key in keys)
        {
            if (provider[key].IsPresent)
            {
                provider[key].Mistake(why);
            }
        }
    }

    public static List<IPNetwork> Networks(Field field)
    {
        var networks = new List<IPNetwork>();
        foreach (var item in field.ItemsOrOne(MaxNetworks) ?? [])
        {
            if (item.Required("a network such as 10.20.0.0/16").Text() is not { } text)
            {
                continue;
            }

            if (NetworkOf(text) is not { } network)
            {
                item.Mistake("write a network as address and prefix, such as 10.20.0.0/16, with zeros behind the prefix, or one address");
            }
            else if (AddressRule.MistakeIn(network) is { } mistake)
            {
                item.Mistake(mistake);
            }
            else
            {
                networks.Add(network);
            }
        }

        return networks;
    }

    private static IPNetwork? NetworkOf(string text)
    {
        var whole = text.Contains('/') ? text : text.Contains(':') ? text + "/128" : text + "/32";
        if (!IPNetwork.TryParse(whole, out var network) || network.BaseAddress.IsIPv4MappedToIPv6)
        {
            return null;
        }

        // Of IPv4 the system also reads octal, hexadecimal and short forms: what is permitted is what is read.
        return network.BaseAddress.AddressFamily == AddressFamily.InterNetworkV6 || network.ToString() == whole ? network : null;
    }
}
