using Microsoft.AspNetCore.Http;

namespace TokenFactory.TestKit.Upstream.Wires;

/// <summary>An ordinary response; the connection stays open for the next request.</summary>
internal sealed class KestrelWire(HttpResponse response) : Wire
{
    private bool _hasHead;

    public override ValueTask HeadAsync(int status, IEnumerable<KeyValuePair<string, string>> headers, CancellationToken cancellation)
    {
        _hasHead = true;
        response.StatusCode = status;
        foreach (var (name, value) in headers)
        {
            response.Headers.Append(name, value);
        }

        return ValueTask.CompletedTask;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
        => await response.BodyWriter.WriteAsync(bytes, cancellation);

    public override async ValueTask FlushAsync(CancellationToken cancellation)
    {
        // Before the script's own head a flush would send one of Kestrel's making.
        if (_hasHead)
        {
            await response.BodyWriter.FlushAsync(cancellation);
        }
    }

    public override async ValueTask EndAsync(CancellationToken cancellation) => await response.CompleteAsync();
}
