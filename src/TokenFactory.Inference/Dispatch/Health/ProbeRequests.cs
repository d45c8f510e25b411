using TokenFactory.Inference.ReadModel;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Model;

namespace TokenFactory.Inference.Dispatch.Health;

/// <summary>
/// The request of an active probe: the endpoint's health path, with the provider's credential, as a real call would send it. An endpoint that
/// the configuration has just given up is asked without.
/// </summary>
internal sealed class ProbeRequests(SnapshotStore snapshots) : IProbingRequestFactory
{
    public HttpRequestMessage CreateRequest(ClusterModel cluster, DestinationModel destination)
    {
        var path = cluster.Config.HealthCheck?.Active?.Path ?? "models";
        var request = new HttpRequestMessage(HttpMethod.Get, $"{destination.Config.Address.TrimEnd('/')}/{path.TrimStart('/')}");
        request.Headers.UserAgent.ParseAdd("token-factory-gateway/1.0");
        if (snapshots.Current?.Registry.Deployments.GetValueOrDefault(cluster.Config.ClusterId) is { } deployment && deployment.MayBeAskedAt(request.RequestUri!))
        {
            Credentials.Add(request.Headers, deployment.Provider);
            if (deployment.Provider.Dialect == Dialect.Anthropic)
            {
                request.Headers.TryAddWithoutValidation(GatewayHeaders.AnthropicVersion, ForwardTransforms.AnthropicVersion);
            }
        }

        return request;
    }
}
