using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using TokenFactory.TestKit.Processes;

namespace TokenFactory.TestKit.Servers;

/// <summary>
/// Stands between a client and a server on the loopback and does to their connections what networks do: holds one direction
/// or both, delays, resets, refuses, forgets, and loses the reply to a request that the server has carried out.
/// </summary>
public sealed class TcpProxy : IAsyncDisposable
{
    private readonly ConcurrentDictionary<ProxyConnection, bool> _connections = new();
    private readonly CancellationTokenSource _closing = new();
    private readonly TcpListener _listener;
    private readonly int _target;
    private readonly Task _accepting;
    private volatile bool _refuses;
    private volatile ReplyLoss? _loss;

    private TcpProxy(TcpListener listener, int target, bool speaksPostgres)
    {
        (_listener, _target, SpeaksPostgres) = (listener, target, speaksPostgres);
        Port = ((IPEndPoint)listener.LocalEndpoint).Port;
        _accepting = AcceptAsync();
    }

    public int Port { get; }

    /// <summary>From the client to the server.</summary>
    public ProxyFlow ToServer { get; } = new();

    /// <summary>From the server to the client.</summary>
    public ProxyFlow ToClient { get; } = new();

    public int Connections => _connections.Count;

    internal bool SpeaksPostgres { get; }

    /// <param name="target">The server's port on the loopback; it need not listen yet.</param>
    /// <param name="speaksPostgres">Whether the server is PostgreSQL, so that <see cref="LoseReplyTo"/> can tell its statements.</param>
    public static TcpProxy Start(int target, bool speaksPostgres = false)
    {
        for (var attempt = 1; ; attempt++)
        {
            var listener = new TcpListener(IPAddress.Loopback, FreePort.Next());
            try
            {
                listener.Start();
                return new TcpProxy(listener, target, speaksPostgres);
            }
            catch (SocketException) when (attempt < 20)
            {
                // Another process took the port between the probe and the bind.
                listener.Dispose();
            }
        }
    }

    /// <summary>Connections are open and silent, in both directions; also new ones.</summary>
    public void Hold()
    {
        ToServer.Hold();
        ToClient.Hold();
    }

    /// <summary>Connections break, with a reset at both ends; what is under way in them is lost. New ones are reset too, until <see cref="Heal"/>.</summary>
    public void Cut()
    {
        _refuses = true;
        Reset();
    }

    /// <summary>
    /// The connections of this moment are forgotten, as by a firewall or an address translator that lost its table: nothing goes through
    /// them until <see cref="Deliver"/>, and neither end is told. New ones are served.
    /// </summary>
    public void Forget()
    {
        foreach (var connection in _connections.Keys)
        {
            connection.Forget();
        }
    }

    /// <summary>What was sent through forgotten connections arrives after all, also where its sender has given it up.</summary>
    public void Deliver()
    {
        foreach (var connection in _connections.Keys)
        {
            connection.Deliver();
        }
    }

    /// <summary>The connections of this moment break; new ones are served.</summary>
    public void Reset()
    {
        foreach (var connection in _connections.Keys)
        {
            connection.Reset();
        }
    }

    /// <summary>The next PostgreSQL statement that holds this text reaches the server; its reply is lost, and then the connection with it.</summary>
    /// <returns>Completes once the server has replied and nobody has heard it.</returns>
    public Task LoseReplyTo(string statement)
    {
        if (!SpeaksPostgres)
        {
            throw new InvalidOperationException("Only a proxy to PostgreSQL knows statements: start it with speaksPostgres.");
        }

        var loss = new ReplyLoss(statement);
        _loss = loss;
        return loss.Lost;
    }

    /// <summary>All is well again: what was held goes on, new connections are served.</summary>
    public void Heal()
    {
        _refuses = false;
        _loss = null;
        ToServer.Pass();
        ToClient.Pass();
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        _listener.Dispose();
        Reset();
        await _accepting;
        _closing.Dispose();
    }

    /// <summary>The first statement that holds the text, of whatever connection, is the one.</summary>
    internal ReplyLoss? LossFor(IEnumerable<string> statements)
    {
        var loss = _loss;
        return loss is not null && statements.Any(ran => ran.Contains(loss.Statement, StringComparison.Ordinal)) && Interlocked.CompareExchange(ref _loss, null, loss) == loss ? loss : null;
    }

    internal void Gone(ProxyConnection connection) => _connections.TryRemove(connection, out _);

    private async Task AcceptAsync()
    {
        while (!_closing.IsCancellationRequested)
        {
            Socket client;
            try
            {
                client = await _listener.AcceptSocketAsync(_closing.Token);
            }
            catch (SocketException) when (!_closing.IsCancellationRequested)
            {
                // This client's own end broke before it was accepted; the next one's need not.
                continue;
            }
            catch (Exception closed) when (closed is OperationCanceledException or ObjectDisposedException or SocketException)
            {
                return;
            }

            if (_refuses)
            {
                ProxyConnection.Break(client);
                continue;
            }

            var connection = new ProxyConnection(this, client);
            _connections.TryAdd(connection, true);
            _ = connection.RunAsync(_target);
        }
    }
}
