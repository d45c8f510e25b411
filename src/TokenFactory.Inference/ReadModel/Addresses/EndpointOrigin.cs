using System.Globalization;

namespace TokenFactory.Inference.ReadModel.Addresses;

/// <summary>Scheme, host and port: whom a credential is shown to. Two addresses of one origin reach the same server.</summary>
/// <param name="Host">Lower case, ASCII; an IPv6 address in brackets.</param>
public readonly record struct EndpointOrigin(string Scheme, string Host, int Port)
{
    public static EndpointOrigin Of(Uri url) =>
        new(url.Scheme, url.HostNameType == UriHostNameType.IPv6 ? url.Host : url.IdnHost.ToLowerInvariant(), url.Port);

    /// <summary>Always with the port, so that one origin has one spelling.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Scheme}://{Host}:{Port}");
}
