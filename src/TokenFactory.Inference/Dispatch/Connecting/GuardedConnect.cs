using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using TokenFactory.Inference.ReadModel.Addresses;

namespace TokenFactory.Inference.Dispatch.Connecting;

/// <summary>A name → all its addresses.</summary>
internal delegate Task<IPAddress[]> ResolveName(string host, CancellationToken cancel);

/// <summary>
/// Connects to a server that somebody else named. The name is resolved once; one address that the rule refuses refuses them all, because
/// whoever answers with such an address means no good; and the connection goes to an address that was judged, not to the name, which could
/// lead elsewhere when asked again. Fails closed: what cannot be judged is not connected to.
/// </summary>
internal sealed partial class GuardedConnect(string deployment, AddressRule rule, ResolveName resolve, GatewayMetrics metrics, ILogger logger)
{
    public async ValueTask<Stream> ConnectAsync(DnsEndPoint target, CancellationToken cancel)
    {
        var addresses = await AddressesAsync(target.Host, cancel);
        foreach (var address in addresses)
        {
            if (rule.RefusalOf(address) is { } range)
            {
                metrics.ConnectRefused(deployment, range);
                Log.Refused(logger, deployment, target.Host, address, range);
                throw new AddressNotAllowedException(range);
            }
        }

        return await FirstThatAnswersAsync(addresses, target.Port, cancel);
    }

    private async Task<IPAddress[]> AddressesAsync(string host, CancellationToken cancel)
    {
        if (IPAddress.TryParse(host, out var literal))
        {
            return [literal];
        }

        var addresses = await resolve(host, cancel);
        return addresses.Length > 0 ? addresses : throw new SocketException((int)SocketError.HostNotFound);
    }

    private static async Task<Stream> FirstThatAnswersAsync(IPAddress[] addresses, int port, CancellationToken cancel)
    {
        for (var i = 0; ; i++)
        {
            var socket = new Socket(addresses[i].AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(new IPEndPoint(addresses[i], port), cancel);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException) when (i < addresses.Length - 1)
            {
                // The next address may answer: a name often has one of each family.
                socket.Dispose();
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(7010, LogLevel.Warning, "{Deployment}: not connected to {Host}, because it has the address {Address} ({Range}); permit its network with allow_addresses if it is meant to be there")]
        public static partial void Refused(ILogger logger, string deployment, string host, IPAddress address, string range);
    }
}
