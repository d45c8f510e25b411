using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace TokenFactory.TestKit.Http;

/// <summary>HTTP/1.1's response framing, told in order: head, then a body by chunks, by length or to the end.</summary>
internal sealed class RawResponseReader(Func<Task<bool>> fill, Func<ReadOnlyMemory<byte>> unread, Action<int> taken) : IDisposable
{
    private readonly HeaderDictionary _headers = [];
    private readonly List<byte[]> _chunks = [];
    private readonly MemoryStream _body = new();
    private int _status;

    public async Task<RawResponse> ReadAsync()
    {
        RawEnd end;
        try
        {
            end = await ReadMessageAsync();
        }
        catch (EndOfStreamException)
        {
            end = RawEnd.Truncated;
        }
        catch (SocketException)
        {
            end = RawEnd.Reset;
        }

        return new RawResponse(_status, _headers, _body.ToArray(), _chunks, end);
    }

    public void Dispose() => _body.Dispose();

    private async Task<RawEnd> ReadMessageAsync()
    {
        // 1. The head; interim responses (100, 103) are passed over.
        do
        {
            await ReadHeadAsync();
        }
        while (_status is >= 100 and < 200);

        // 2. The body, by whichever framing the head names.
        if (_status is 204 or 304)
        {
            return RawEnd.Complete;
        }

        if (_headers["transfer-encoding"].ToString().Contains("chunked", StringComparison.OrdinalIgnoreCase))
        {
            await ReadChunksAsync();
            return RawEnd.Complete;
        }

        if (_headers.ContentLength is { } length)
        {
            await ReadBodyAsync(length);
            _chunks.Add(_body.ToArray());
            return RawEnd.Complete;
        }

        while (await fill())
        {
            _body.Write(unread().Span);
            taken(unread().Length);
        }

        return RawEnd.Closed;
    }

    private async Task ReadHeadAsync()
    {
        var line = await ReadLineAsync();
        var parts = line.Split(' ');
        if (parts.Length < 2 || !line.StartsWith("HTTP/1.", StringComparison.Ordinal))
        {
            throw new InvalidDataException($"Not an HTTP status line: {line}");
        }

        _status = int.Parse(parts[1], CultureInfo.InvariantCulture);
        _headers.Clear();
        while ((line = await ReadLineAsync()).Length > 0)
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            _headers.Append(line[..colon].Trim(), line[(colon + 1)..].Trim());
        }
    }

    private async Task ReadChunksAsync()
    {
        while (true)
        {
            var size = long.Parse((await ReadLineAsync()).Split(';')[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            if (size == 0)
            {
                while ((await ReadLineAsync()).Length > 0)
                {
                }

                return;
            }

            var from = (int)_body.Length;
            await ReadBodyAsync(size);
            _chunks.Add(_body.GetBuffer()[from..(int)_body.Length]);
            await ReadLineAsync();
        }
    }

    private async Task ReadBodyAsync(long count)
    {
        while (count > 0)
        {
            await NeedAsync();
            var part = unread()[..(int)Math.Min(count, unread().Length)];
            _body.Write(part.Span);
            taken(part.Length);
            count -= part.Length;
        }
    }

    private async Task<string> ReadLineAsync()
    {
        var line = new StringBuilder();
        while (true)
        {
            await NeedAsync();
            var next = (char)unread().Span[0];
            taken(1);
            if (next == '\n')
            {
                return line.ToString().TrimEnd('\r');
            }

            line.Append(next);
        }
    }

    private async Task NeedAsync()
    {
        if (!await fill())
        {
            throw new EndOfStreamException();
        }
    }
}
