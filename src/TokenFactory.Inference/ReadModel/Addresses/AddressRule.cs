using System.Net;
using System.Net.Sockets;

namespace TokenFactory.Inference.ReadModel.Addresses;

/// <summary>Which addresses a provider's endpoints may be at: the public ones, and those that an operator permits.</summary>
public sealed class AddressRule(IReadOnlyList<IPNetwork> permitted)
{
    /// <summary>An operator permits a network of its own, not the address space.</summary>
    public const int WidestPrefix = 8;

    public static AddressRule PublicOnly { get; } = new([]);

    public IReadOnlyList<IPNetwork> Permitted { get; } = permitted;

    /// <summary>Why nothing may be sent there: the name of the range that it is in; null when it may.</summary>
    public string? RefusalOf(IPAddress address)
    {
        var range = AddressRanges.Find(address);
        if (range is null)
        {
            return null;
        }

        // A zone names an interface of this machine, which no network says anything of.
        return range.IsBarred || Zoned(address) || !IsPermitted(AddressRanges.Reached(address)) ? range.Name : null;
    }

    /// <summary>What is wrong with permitting a network; null when nothing is.</summary>
    public static string? MistakeIn(IPNetwork network)
    {
        if (network.PrefixLength < WidestPrefix)
        {
            return $"wider than /{WidestPrefix}: permit the networks that the endpoints are in";
        }

        return AddressRanges.BarredWhole(network) is { } barred ? $"{network} is {barred.Name}, which cannot be permitted" : null;
    }

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    public static AddressRule Parse(string text) => new([.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(IPNetwork.Parse)]);

    public override string ToString() => string.Join(' ', Permitted);

    private static bool Zoned(IPAddress address) => address.AddressFamily == AddressFamily.InterNetworkV6 && address.ScopeId != 0;

    private bool IsPermitted(IPAddress address)
    {
        foreach (var network in Permitted)
        {
            if (network.Contains(address))
            {
                return true;
            }
        }

        return false;
    }
}
