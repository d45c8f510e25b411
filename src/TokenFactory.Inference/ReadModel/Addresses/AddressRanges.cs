using System.Net;
using System.Net.Sockets;

namespace TokenFactory.Inference.ReadModel.Addresses;

/// <summary>
/// The one table of what is not public: the special-purpose registries of IANA (iana-ipv4-special-registry and iana-ipv6-special-registry:
/// every block that is not globally reachable), multicast and reserved space, and where clouds keep their instances' credentials. Of
/// IPv6 only what is allocated as global unicast (2000::/3) can be public, so that a form nobody thought of is not.
/// </summary>
public static class AddressRanges
{
    private const string Metadata = "cloud metadata";
    private const string Unallocated = "not global unicast";

    // The narrower before the wider: the first that contains an address names it.
    private static readonly AddressRange[] _v4 =
    [
        Barred("169.254.169.254/32", Metadata),     // AWS, Azure, Google, Oracle, DigitalOcean and most others
        Barred("169.254.170.2/32", Metadata),       // AWS ECS
        Barred("169.254.170.23/32", Metadata),      // AWS EKS
        Barred("100.100.100.200/32", Metadata),     // Alibaba
        Barred("168.63.129.16/32", Metadata),       // Azure's wire server, in a public block
        Barred("192.0.0.192/32", Metadata),         // Oracle, older
        Barred("0.0.0.0/8", "this network"),
        Reserved("10.0.0.0/8", "private"),
        Reserved("100.64.0.0/10", "carrier-grade NAT"),
        Reserved("127.0.0.0/8", "loopback"),
        Barred("169.254.0.0/16", "link-local"),
        Reserved("172.16.0.0/12", "private"),
        Reserved("192.0.0.0/24", "protocol assignments"),
        Reserved("192.0.2.0/24", "documentation"),
        Reserved("192.88.99.0/24", "6to4 relay"),
        Reserved("192.168.0.0/16", "private"),
        Reserved("198.18.0.0/15", "benchmarking"),
        Reserved("198.51.100.0/24", "documentation"),
        Reserved("203.0.113.0/24", "documentation"),
        Barred("224.0.0.0/4", "multicast"),
        Barred("255.255.255.255/32", "broadcast"),
        Reserved("240.0.0.0/4", "reserved"),
    ];

    private static readonly AddressRange[] _v6 =
    [
        Barred("fd00:ec2::/32", Metadata),          // AWS
        Barred("fd20:ce::254/128", Metadata),       // Google
        Barred("fd00:c1::a9fe:a9fe/128", Metadata), // Oracle
        Barred("::/128", "unspecified"),
        Reserved("::1/128", "loopback"),
        Barred("::/96", "IPv4-compatible"),
        Barred("::ffff:0:0:0/96", "IPv4-translated"),
        Barred("64:ff9b:1::/48", "local NAT64"),
        Reserved("100::/64", "discard"),
        Reserved("100:0:0:1::/64", "dummy prefix"),
        Barred("2001::/32", "Teredo"),
        Reserved("2001:2::/48", "benchmarking"),
        Reserved("2001::/23", "protocol assignments"),
        Reserved("2001:db8::/32", "documentation"),
        Barred("2002::/16", "6to4"),
        Reserved("3fff::/20", "documentation"),
        Reserved("5f00::/16", "segment routing"),
        Barred("fe80::/10", "link-local"),
        Reserved("fec0::/10", "site-local"),
        Reserved("fc00::/7", "unique local"),
        Barred("ff00::/8", "multicast"),
    ];

    private static readonly AddressRange _isatap = Barred("::/0", "ISATAP");
    private static readonly AddressRange _unallocated = Reserved("::/0", Unallocated);
    private static readonly IPNetwork _globalUnicast = IPNetwork.Parse("2000::/3");
    private static readonly IPNetwork _nat64 = IPNetwork.Parse("64:ff9b::/96");

    /// <summary>Which range it is in; null when it is public. An IPv6 form that a router or the system turns into an IPv4 address is judged as that one.</summary>
    public static AddressRange? Find(IPAddress address)
    {
        address = Reached(address);
        if (address.AddressFamily == AddressFamily.InterNetwork)
        {
            return First(_v4, address);
        }

        if (First(_v6, address) is { } special)
        {
            return special;
        }

        return !_globalUnicast.Contains(address) ? _unallocated : IsIsatap(address) ? _isatap : null;
    }

    /// <summary>The address that a connection would end at: the inner one of an IPv4-mapped (RFC 4291) or NAT64 (RFC 6052) address.</summary>
    public static IPAddress Reached(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
        {
            return address.MapToIPv4();
        }

        return address.AddressFamily == AddressFamily.InterNetworkV6 && _nat64.Contains(address) ? new IPAddress(address.GetAddressBytes().AsSpan(12)) : address;
    }

    /// <summary>The barred range that the whole network is in; null when some of it is in none.</summary>
    internal static AddressRange? BarredWhole(IPNetwork network) =>
        Array.Find(network.BaseAddress.AddressFamily == AddressFamily.InterNetwork ? _v4 : _v6, range => range.IsBarred && range.Network.PrefixLength <= network.PrefixLength && range.Network.Contains(network.BaseAddress));

    // An interface identifier that carries an IPv4 address to tunnel to (RFC 5214).
    private static bool IsIsatap(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        return (bytes[8] & 0xFD) == 0 && bytes[9] == 0 && bytes[10] == 0x5E && bytes[11] == 0xFE;
    }

    private static AddressRange? First(AddressRange[] ranges, IPAddress address)
    {
        foreach (var range in ranges)
        {
            if (range.Network.Contains(address))
            {
                return range;
            }
        }

        return null;
    }

    private static AddressRange Reserved(string network, string name) => new(IPNetwork.Parse(network), name, IsBarred: false);

    private static AddressRange Barred(string network, string name) => new(IPNetwork.Parse(network), name, IsBarred: true);
}
