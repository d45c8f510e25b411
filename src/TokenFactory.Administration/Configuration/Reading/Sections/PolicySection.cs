using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using TokenFactory.Administration.Policies;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Policies;

namespace TokenFactory.Administration.Configuration.Reading.Sections;

/// <summary>The <c>policy</c>: the rules in force, the rules that are only tried beside them, and who is asked after them.</summary>
internal static class PolicySection
{
    private static readonly ExternalPolicy _defaults = new() { Url = new Uri("http://localhost") };

    // What the gateway writes itself, or what would change how the question is framed.
    private static readonly string[] _own =
        ["accept", "authorization", "connection", "content-length", "content-type", "cookie", "expect", "host", "keep-alive", "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade"];

    public static (PolicyBundle Bundle, PolicyBundle? Shadow, ExternalPolicy? External) Read(
        Section section, ReadingContext context, Named<Provider> providers, Named<Deployment> deployments)
    {
        var bundle = PolicyDocumentReader.ReadBundle(section["bundle"], context, providers, deployments);
        var shadow = PolicyDocumentReader.ReadBundle(section["shadow"], context, providers, deployments);
        var external = section["external"].Section() is { } endpoint ? External(endpoint) : null;
        if (section.Keys.Contains("external") && external is null && !section["external"].IsPresent)
        {
            section["external"].Mistake("empty: nobody would be asked; write where the question is posted, or leave it out");
        }

        section.RefuseUnknownKeys();
        return (bundle ?? PolicyBundle.None, shadow, external);
    }

    private static ExternalPolicy? External(Section section)
    {
        var url = section["url"].Required("where the question is posted, such as http://localhost:8181/v1/data/gateway/decision").Url();
        var allowHttp = section["allow_http"].Flag() ?? false;
        if (url is { IsLoopback: false } && url.Scheme == Uri.UriSchemeHttp && !allowHttp)
        {
            section["url"].Mistake("use https: a yes could be written on the way (allow_http: true where the network is trusted)");
        }

        // The one that there is, for whoever reads the file: nothing else would be safe.
        section["on_error"].Choice(("deny", true));
        var external = _defaults with
        {
            Url = url ?? _defaults.Url,
            Timeout = section["timeout"].Duration(TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(2)) ?? _defaults.Timeout,
            MaxInFlight = (int)(section["max_in_flight"].Whole(1, 100_000) ?? _defaults.MaxInFlight),
            Credential = section["credential"].Secret(),
            Headers = Headers(section["headers"].SectionOrEmpty()),
            Authorities = Authorities(section["ca"]),
        };
        section.RefuseUnknownKeys();
        return url is null ? null : external;
    }

    private static List<KeyValuePair<string, Secret>> Headers(Section section)
    {
        var headers = new List<KeyValuePair<string, Secret>>();
        foreach (var name in section.Keys.ToArray())
        {
            var field = section[name];
            if (_own.Contains(name, StringComparer.OrdinalIgnoreCase))
            {
                field.Mistake("the gateway writes this header itself; a bearer token is the credential");
            }
            else if (!IsHeader(name))
            {
                field.Mistake("this is no name of an HTTP header");
            }
            else if (field.Required("the header's value, a reference: env:NAME or file:PATH").Secret() is { } value)
            {
                headers.Add(new(name, value));
            }
        }

        return headers;
    }

    private static bool IsHeader(string name)
    {
        using var request = new HttpRequestMessage();
        return request.Headers.TryAddWithoutValidation(name, "");
    }

    private static X509Certificate2Collection? Authorities(Field field)
    {
        if (field.SecretBytes() is not { } bytes)
        {
            return null;
        }

        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(Encoding.UTF8.GetString(bytes));
        }
        catch (CryptographicException)
        {
            certificates.Clear();
        }

        if (certificates.Count == 0)
        {
            field.Mistake("write certificates in PEM: -----BEGIN CERTIFICATE-----");
        }

        return certificates;
    }
}
