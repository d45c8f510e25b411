using System.Globalization;
using System.Net;
using TokenFactory.Inference.Dispatch.Loopback;
using TokenFactory.Inference.ReadModel;
using Yarp.ReverseProxy.Forwarder;

namespace TokenFactory.Inference.Dispatch;

/// <summary>
/// Makes the HTTP client of a cluster. It follows no redirect, keeps no cookie, uses no proxy of the environment and adds
/// no trace header: what a backend gets is what the transforms say. What answers inside the gateway does so in the same place, without a network.
/// </summary>
internal sealed class ForwardClients(Func<string?, LoopbackHandler> inside) : IForwarderHttpClientFactory
{
    public const string KindKey = "kind";
    public const string AnswerKey = "answer";
    public const string ConnectKey = "connect_ms";

    public HttpMessageInvoker CreateClient(ForwarderHttpClientContext context)
    {
        if (context.OldClient is { } old && Same(context.OldMetadata, context.NewMetadata))
        {
            return old;
        }

        var metadata = context.NewMetadata;
        if (metadata?.GetValueOrDefault(KindKey) is nameof(ProviderKind.Loopback) or nameof(ProviderKind.Manual))
        {
            return new HttpMessageInvoker(inside(metadata.GetValueOrDefault(AnswerKey) is { Length: > 0 } answer ? answer : null));
        }

        var connect = double.Parse(metadata?.GetValueOrDefault(ConnectKey) ?? "5000", CultureInfo.InvariantCulture);
        return new HttpMessageInvoker(new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            UseCookies = false,
            EnableMultipleHttp2Connections = true,
            ActivityHeadersPropagator = null,
            // By default an abandoned answer is read on for two seconds, while its backend goes on generating for nobody.
            MaxResponseDrainSize = 0,
            ConnectTimeout = TimeSpan.FromMilliseconds(connect),
            PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1),
            // A name that moves to another address is followed within this time.
            PooledConnectionLifetime = TimeSpan.FromMinutes(10),
        });
    }

    private static bool Same(IReadOnlyDictionary<string, string>? left, IReadOnlyDictionary<string, string>? right) =>
        left is not null && right is not null && left.Count == right.Count && left.All(pair => right.GetValueOrDefault(pair.Key) == pair.Value);
}
