using System.Collections.Concurrent;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace TokenFactory.TestKit.Processes;

/// <summary>A port nobody listens on, below the range the kernel gives to outgoing connections, so that none of those
/// can take it before its server starts.</summary>
public static class FreePort
{
    private const int First = 20_000;
    private const int End = 32_768;
    private static readonly ConcurrentDictionary<int, bool> _given = new();

    public static int Next()
    {
        for (var attempt = 0; attempt < End - First; attempt++)
        {
            var port = Random.Shared.Next(First, End);
            if (CanBind(port) && _given.TryAdd(port, true))
            {
                return port;
            }
        }

        throw new NetworkInformationException((int)SocketError.AddressAlreadyInUse);
    }

    private static bool CanBind(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
