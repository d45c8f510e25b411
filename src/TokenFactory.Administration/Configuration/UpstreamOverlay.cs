using TokenFactory.Administration.Configuration.Reading;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Routes;

namespace TokenFactory.Administration.Configuration;

/// <summary>What <c>serve --upstream</c> adds to the file's configuration.</summary>
internal static class UpstreamOverlay
{
    private const string Name = "upstream";

    public static GatewayConfiguration Apply(
        GatewayConfiguration configuration, Uri url, Secret? credential, string? region, IReadOnlyList<string> models)
    {
        if (configuration.Deployments.Any(d => d.Name == Name) || configuration.Providers.Any(p => p.Name == Name))
        {
            throw new ArgumentException($"the configuration already has a provider or deployment named '{Name}'", nameof(configuration));
        }

        var provider = new Provider(Name, ProviderKind.OpenAi, region, credential);
        var deployment = new Deployment { Name = Name, Provider = provider, Endpoints = [EndpointUrl.Normalise(url)] };

        // Asterisks in a listed name would make a pattern of it, and a repeated one two routes of the same name.
        var names = models.Where(m => m.Length > 0 && !m.Contains('*')).Distinct(StringComparer.Ordinal).ToArray();
        var patterns = names.Length == 0 ? ["*"] : names;
        var taken = configuration.Models.Select(m => m.Pattern).ToHashSet();
        var routes = patterns
            .Select(ModelPattern.Parse)
            .Where(pattern => !taken.Contains(pattern))
            .Select(pattern => new ModelRoute(pattern, [new RouteTarget(deployment, 0, 1)], LimitSet.None));

        return configuration with
        {
            Revision = Revisions.Of([configuration.Revision, url.AbsoluteUri, region ?? "", Revisions.OfSecret(credential), .. patterns]),
            Providers = [.. configuration.Providers, provider],
            Deployments = [.. configuration.Deployments, deployment],
            Models = [.. configuration.Models, .. routes],
        };
    }
}
