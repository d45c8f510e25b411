using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.WebUtilities;

namespace TokenFactory.TestKit.Upstream.Wires;

/// <summary>Writes beside Kestrel, straight to the connection's socket, so that a script may break every rule of HTTP.
/// Each write is one send; the connection never serves a second request.</summary>
internal sealed class SocketWire(Socket socket, CancellationToken peerGone) : Wire
{
    private bool _chunked;
    private bool _bare = true;

    public override async ValueTask HeadAsync(int status, IEnumerable<KeyValuePair<string, string>> headers, CancellationToken cancellation)
    {
        var head = new StringBuilder().Append(CultureInfo.InvariantCulture, $"HTTP/1.1 {status} {ReasonPhrases.GetReasonPhrase(status)}\r\n");
        _chunked = true;
        foreach (var (name, value) in headers)
        {
            head.Append(CultureInfo.InvariantCulture, $"{name}: {value}\r\n");
            _chunked &= !name.Equals("content-length", StringComparison.OrdinalIgnoreCase);
        }

        head.Append(_chunked ? "transfer-encoding: chunked\r\n" : "").Append("connection: close\r\n\r\n");
        await SendAsync(Encoding.Latin1.GetBytes(head.ToString()), cancellation);
        _bare = false;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        if (_bare || !_chunked || bytes.IsEmpty)
        {
            await SendAsync(bytes, cancellation);
            return;
        }

        var size = Encoding.ASCII.GetBytes(bytes.Length.ToString("x", CultureInfo.InvariantCulture) + "\r\n");
        await SendAsync((byte[])[.. size, .. bytes.Span, 13, 10], cancellation);
    }

    public override ValueTask FlushAsync(CancellationToken cancellation) => ValueTask.CompletedTask;

    public override async ValueTask EndAsync(CancellationToken cancellation)
    {
        if (_chunked)
        {
            await SendAsync("0\r\n\r\n"u8.ToArray(), cancellation);
        }

        await FinishAsync();
    }

    public override async ValueTask CutAsync(Cut how, CancellationToken cancellation)
    {
        if (how == Cut.Fin)
        {
            await FinishAsync();
            return;
        }

        socket.Close(timeout: 0);
    }

    /// <summary>Closing at once would turn the FIN into an RST, which throws away what the peer has not read yet.</summary>
    private async Task FinishAsync()
    {
        socket.Shutdown(SocketShutdown.Send);
        await Task.Delay(TimeSpan.FromSeconds(5), peerGone).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[await socket.SendAsync(bytes, SocketFlags.None, cancellation)..];
        }
    }
}
