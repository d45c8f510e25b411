using System.Net;
using System.Net.Sockets;

namespace TokenFactory.TestKit.Servers;

/// <summary>One client's connection through a proxy, and the one to the server behind it.</summary>
internal sealed class ProxyConnection(TcpProxy proxy, Socket client) : IDisposable
{
    private const int BufferBytes = 64 * 1024;

    // PostgreSQL's ReadyForQuery, idle: the end of a reply, and of its transaction.
    private static readonly byte[] _replyEnd = [(byte)'Z', 0, 0, 0, 5, (byte)'I'];

    private readonly Socket _server = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly CancellationTokenSource _over = new();
    private readonly Lock _gate = new();
    private readonly SentStatements? _statements = proxy.SpeaksPostgres ? new() : null;
    private volatile ReplyLoss? _loss;
    private readonly ProxyFlow _known = new();
    private bool _isOver;

    /// <summary>Closes with a reset and not with an end that the peer could take for an orderly one.</summary>
    public static void Break(Socket socket)
    {
        try
        {
            socket.LingerState = new LingerOption(true, 0);
        }
        catch (SocketException)
        {
            // It is broken already.
        }
        catch (ObjectDisposedException)
        {
            // It was closed meanwhile.
        }

        socket.Dispose();
    }

    public async Task RunAsync(int target)
    {
        try
        {
            client.NoDelay = true;
            await _server.ConnectAsync(new IPEndPoint(IPAddress.Loopback, target), _over.Token);
            await Task.WhenAll(CarryAsync(client, _server, proxy.ToServer, toServer: true), CarryAsync(_server, client, proxy.ToClient, toServer: false));
        }
        catch (Exception broken) when (broken is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // What happens to connections here is the purpose; each end learns it from its own socket.
        }

        proxy.Gone(this);
        Dispose();
    }

    /// <summary>Both ends stay open and hear nothing of each other any more.</summary>
    public void Forget() => _known.Hold();

    public void Deliver() => _known.Pass();

    public void Reset()
    {
        lock (_gate)
        {
            if (!_isOver)
            {
                _over.Cancel();
                Break(client);
                Break(_server);
            }
        }
    }

    public void Dispose()
    {
        Reset();
        lock (_gate)
        {
            _isOver = true;
            _over.Dispose();
            _server.Dispose();
        }
    }

    private async Task CarryAsync(Socket from, Socket to, ProxyFlow flow, bool toServer)
    {
        try
        {
            var buffer = new byte[BufferBytes];
            while (await from.ReceiveAsync(buffer, _over.Token) is > 0 and var read)
            {
                await PassedAsync(flow);
                if (toServer)
                {
                    if (_statements?.Read(buffer.AsSpan(0, read)) is { } statements)
                    {
                        _loss ??= proxy.LossFor(statements);
                    }
                }
                else if (_loss is { } loss)
                {
                    if (buffer.AsSpan(0, read).IndexOf(_replyEnd) >= 0)
                    {
                        Reset();
                        loss.Happened();
                        return;
                    }

                    continue;
                }

                for (var sent = 0; sent < read;)
                {
                    sent += await to.SendAsync(buffer.AsMemory(sent, read - sent), _over.Token);
                }
            }

            // An end of one direction is passed on as such; also an end is held while the direction is.
            await PassedAsync(flow);
            to.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            Reset();
        }
    }

    private async Task PassedAsync(ProxyFlow flow)
    {
        await flow.PassedAsync(_over.Token);
        await _known.PassedAsync(_over.Token);
    }
}
