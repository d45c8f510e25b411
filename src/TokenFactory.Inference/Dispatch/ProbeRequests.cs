using TokenFactory.Inference.ReadModel;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Model;

namespace TokenFactory.Inference.Dispatch;

/// <summary>The request of an active probe: the endpoint's health path, with the provider's credential, as a real call would send it.</summary>
internal sealed class ProbeRequests(SnapshotStore snapshots) : IProbingRequestFactory
{
    public HttpRequestMessage CreateRequest(ClusterModel cluster, DestinationModel destination)
    {
        var path = cluster.Config.HealthCheck?.Active?.Path ?? "models";
        var request = new HttpRequestMessage(HttpMethod.Get, $"{destination.Config.Address.TrimEnd('/')}/{path.TrimStart('/')}");
        request.Headers.UserAgent.ParseAdd("token-factory-gateway/1.0");
        if (snapshots.Current?.Registry.Deployments.GetValueOrDefault(cluster.Config.ClusterId)?.Provider is { } provider)
        {
            Credentials.Add(request.Headers, provider);
            if (provider.Dialect == Dialect.Anthropic)
            {
                request.Headers.TryAddWithoutValidation(GatewayHeaders.AnthropicVersion, ForwardTransforms.AnthropicVersion);
            }
        }

        return request;
    }
}
