using System.Buffers;
using System.Net;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Addresses;

namespace TokenFactory.Administration.Configuration.Reading;

/// <summary>
/// What a provider demands of the URLs of its deployments, beyond what every URL is held to. Judged by the text as it is written: a URL's
/// reader turns <c>http://2130706433</c> into an address of this machine before anybody could see it.
/// </summary>
internal static class EndpointRules
{
    private static readonly SearchValues<char> _hostCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._");

    public static void Judge(Field field, Uri url, Provider provider)
    {
        if (provider.CredentialOrigins is { } origins && EndpointOrigin.Of(url) is var origin && !origins.Contains(origin))
        {
            field.Mistake($"the credential of '{provider.Name}' was sealed for {string.Join(", ", origins.Select(one => one.ToString()).Order(StringComparer.Ordinal))}: seal it again with --origin {origin} besides");
        }

        if (provider.Reach is { } rule && MistakeIn(field.Text(maxLength: 2048) ?? "", url, rule, provider.AllowsHttp) is { } mistake)
        {
            field.Mistake(mistake);
        }
    }

    /// <summary>Why the URL may not be that of a server that somebody else named; null when it may.</summary>
    public static string? MistakeIn(string text, Uri url, AddressRule rule, bool allowsHttp)
    {
        if (url.Scheme != Uri.UriSchemeHttps && !allowsHttp)
        {
            return "use https: prompts and the credential would be readable on the way (allow_http: true on the provider where the network is trusted)";
        }

        if (HostOf(text) is not { Length: > 0 } host)
        {
            return "write https://host or https://host:port, and a path";
        }

        if (host[0] == '[')
        {
            return IPAddress.TryParse(host, out var v6) && v6.ScopeId == 0 ? Refusal(v6, rule) : "write an IPv6 address in brackets, without a zone";
        }

        if (host.AsSpan().ContainsAnyExcept(_hostCharacters))
        {
            return "a host has letters, digits, '-' and '.': write an international name as xn--…";
        }

        var labels = host.Split('.');
        if (labels[^1].Length == 0)
        {
            return "write the host without the dot at its end";
        }

        if (IsNumber(labels[^1]))
        {
            return IPAddress.TryParse(host, out var v4) && v4.ToString() == host ? Refusal(v4, rule) : "write an IPv4 address as four decimal numbers, such as 203.0.113.7";
        }

        return labels.Length == 1 || labels[^1].Equals("localhost", StringComparison.OrdinalIgnoreCase) || labels.Contains("")
            ? "write the full name of a host, such as llm.example.com"
            : null;
    }

    private static string? Refusal(IPAddress address, AddressRule rule) =>
        rule.RefusalOf(address) is { } range ? $"{address} is no public address ({range}): an operator can permit its network with allow_addresses on the provider" : null;

    /// <summary>The host as written, brackets included; null when the text has no such form.</summary>
    private static string? HostOf(string text)
    {
        var start = text.IndexOf("://", StringComparison.Ordinal);
        if (start is not (4 or 5))
        {
            return null;
        }

        var authority = text[(start + 3)..];
        var end = authority.AsSpan().IndexOfAny("/\\?#");
        authority = end < 0 ? authority : authority[..end];
        if (authority.StartsWith('['))
        {
            var bracket = authority.IndexOf(']', StringComparison.Ordinal);
            return bracket < 0 ? null : authority[..(bracket + 1)];
        }

        var port = authority.IndexOf(':', StringComparison.Ordinal);
        return port < 0 ? authority : authority[..port];
    }

    /// <summary>A last label that is a number makes the whole an IPv4 address, in whatever spelling.</summary>
    private static bool IsNumber(string label) =>
        label.All(char.IsAsciiDigit) || (label.StartsWith("0x", StringComparison.OrdinalIgnoreCase) && label.Skip(2).All(char.IsAsciiHexDigit));
}
