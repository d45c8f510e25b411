namespace TokenFactory.TestKit.Upstream.Wires;

/// <summary>How a connection is cut: FIN ends it in order, RST breaks it.</summary>
public enum Cut
{
    Fin,
    Reset,
}

/// <summary>Where a script's bytes go: Kestrel's own response while the script keeps HTTP's rules,
/// the bare socket when it breaks them.</summary>
internal abstract class Wire
{
    public abstract ValueTask HeadAsync(int status, IEnumerable<KeyValuePair<string, string>> headers, CancellationToken cancellation);

    public abstract ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation);

    /// <summary>Everything so far is on its way, the head too.</summary>
    public abstract ValueTask FlushAsync(CancellationToken cancellation);

    public abstract ValueTask EndAsync(CancellationToken cancellation);

    public virtual ValueTask CutAsync(Cut how, CancellationToken cancellation)
        => throw new InvalidOperationException("Only a script that plays on the socket can cut the connection.");
}
