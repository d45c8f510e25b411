using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace TokenFactory.TestKit.Http;

/// <summary>One connection on which every byte is the test's own. Every wait ends with the time limit given at the start.</summary>
public sealed class RawHttp : IAsyncDisposable
{
    private readonly Socket _socket;
    private readonly CancellationTokenSource _limit;
    private readonly byte[] _buffer = new byte[64 * 1024];
    private ReadOnlyMemory<byte> _unread;

    private RawHttp(Socket socket, CancellationTokenSource limit) => (_socket, _limit) = (socket, limit);

    /// <param name="window">How many bytes this side takes in without reading them; null is what the system gives.</param>
    public static async Task<RawHttp> ConnectAsync(Uri server, TimeSpan? limit = null, int? window = null)
    {
        var source = new CancellationTokenSource(limit ?? TimeSpan.FromMinutes(1));
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (window is { } bytes)
        {
            socket.ReceiveBufferSize = bytes;
        }

        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, server.Port), source.Token);
        return new RawHttp(socket, source);
    }

    /// <summary>One whole exchange on a connection of its own.</summary>
    public static async Task<RawResponse> SendAsync(Uri server, byte[] request, TimeSpan? limit = null)
    {
        await using var raw = await ConnectAsync(server, limit);
        await raw.SendAsync(request);
        return await raw.ReadResponseAsync();
    }

    /// <summary>A request with the length, host and type that a POST needs; more headers as "name: value".</summary>
    public static byte[] Post(string path, ReadOnlySpan<byte> body, params string[] headers)
    {
        var head = new StringBuilder().Append(CultureInfo.InvariantCulture, $"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: {body.Length}\r\n");
        foreach (var header in headers)
        {
            head.Append(header).Append("\r\n");
        }

        return [.. Encoding.Latin1.GetBytes(head.Append("\r\n").ToString()), .. body];
    }

    public Task SendAsync(string text) => SendAsync(Encoding.Latin1.GetBytes(text));

    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[await _socket.SendAsync(bytes, SocketFlags.None, _limit.Token)..];
        }
    }

    /// <summary>Bytes that have come and were not read yet.</summary>
    public int Available => _unread.Length + _socket.Available;

    /// <summary>No more request bytes; responses may still be read.</summary>
    public void HalfClose() => _socket.Shutdown(SocketShutdown.Send);

    /// <summary>Breaks the connection with an RST.</summary>
    public void Reset() => _socket.Close(timeout: 0);

    /// <summary>Closes the connection in order, in the middle of whatever is going on.</summary>
    public void HangUp() => _socket.Close();

    /// <summary>Reads so many bytes of whatever comes, then hangs up; fewer when the server ends first.</summary>
    public async Task<byte[]> HangUpAfterAsync(int bytes)
    {
        var read = new List<byte>(bytes);
        while (read.Count < bytes && await FillAsync())
        {
            var taken = _unread[..Math.Min(bytes - read.Count, _unread.Length)];
            read.AddRange(taken.Span);
            _unread = _unread[taken.Length..];
        }

        HangUp();
        return [.. read];
    }

    /// <summary>Reads on until this text has come.</summary>
    public async Task<string> ReadUntilAsync(string text)
    {
        var read = new StringBuilder();
        while (!read.ToString().Contains(text, StringComparison.Ordinal))
        {
            if (!await FillAsync())
            {
                throw new IOException($"The connection ended before '{text}' came: {read}");
            }

            read.Append((char)_unread.Span[0]);
            _unread = _unread[1..];
        }

        return read.ToString();
    }

    /// <summary>Reads one response to its end. A broken one is returned as far as it came, with how it ended.</summary>
    public async Task<RawResponse> ReadResponseAsync()
    {
        using var reading = new RawResponseReader(FillAsync, () => _unread, count => _unread = _unread[count..]);
        return await reading.ReadAsync();
    }

    public ValueTask DisposeAsync()
    {
        _socket.Dispose();
        _limit.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <returns>False at the end of the connection.</returns>
    private async Task<bool> FillAsync()
    {
        if (!_unread.IsEmpty)
        {
            return true;
        }

        var count = await _socket.ReceiveAsync(_buffer, SocketFlags.None, _limit.Token);
        _unread = _buffer.AsMemory(0, count);
        return count > 0;
    }
}
