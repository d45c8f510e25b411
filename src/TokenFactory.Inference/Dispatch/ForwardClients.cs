using System.Globalization;
using System.Net;
using Microsoft.Extensions.Logging;
using TokenFactory.Inference.Dispatch.Connecting;
using TokenFactory.Inference.Dispatch.Loopback;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Addresses;
using Yarp.ReverseProxy.Forwarder;

namespace TokenFactory.Inference.Dispatch;

/// <summary>
/// Makes the HTTP client of a cluster. It follows no redirect, keeps no cookie, uses no proxy of the environment and adds
/// no trace header: what a backend gets is what the transforms say. What answers inside the gateway does so in the same place, without a network.
/// A cluster whose rule of addresses changes gets a new client: no connection is used under another rule than it was made under.
/// </summary>
internal sealed class ForwardClients(Func<string?, LoopbackHandler> inside, ResolveName resolve, GatewayMetrics metrics, ILogger<ForwardClients> logger) : IForwarderHttpClientFactory
{
    public const string KindKey = "kind";
    public const string AnswerKey = "answer";
    public const string ConnectKey = "connect_ms";

    /// <summary>An <see cref="AddressRule"/> as text; absent is any address.</summary>
    public const string ReachKey = "reach";

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
        var handler = new SocketsHttpHandler
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
        };
        if (metadata?.GetValueOrDefault(ReachKey) is { } reach)
        {
            // Every connection is made here: YARP's requests are HTTP/2 at most, and HTTP/3 is the only one that would not ask.
            var guard = new GuardedConnect(context.ClusterId, AddressRule.Parse(reach), resolve, metrics, logger);
            handler.ConnectCallback = (connection, cancel) => guard.ConnectAsync(connection.DnsEndPoint, cancel);
        }

        return new HttpMessageInvoker(handler);
    }

    private static bool Same(IReadOnlyDictionary<string, string>? left, IReadOnlyDictionary<string, string>? right) =>
        left is not null && right is not null && left.Count == right.Count && left.All(pair => right.GetValueOrDefault(pair.Key) == pair.Value);
}
