using TokenFactory.Inference.Dialects.Events;
using TokenFactory.Inference.Dispatch;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference.Metering.Scanning;

/// <summary>An event too large to hold, watched while it flows: text, usage, finish reasons and errors are still found.</summary>
internal sealed class LargeFrame(Dialect dialect) : IDisposable
{
    private readonly EventFields _fields = new();
    private JsonWalker? _walker;

    public bool IsOpen { get; private set; }

    public bool HasData { get; private set; }

    public bool HasChoices => _walker!.HasChoices;

    public bool SawError => _walker!.SawError;

    /// <summary>Returns the error when the first bytes already tell of one; then nothing of the frame may pass.</summary>
    public BackendError? Open(ReadOnlySpan<byte> head, bool isFirst, Findings findings)
    {
        IsOpen = true;
        _walker ??= new JsonWalker(findings, dialect);
        _walker.Reset();
        _fields.Read(head, isFirst);
        HasData = _fields.HasData;
        if (_fields.NamesError)
        {
            return BackendError.Read(_fields.Payload);
        }

        // The data goes to the walker with its line ends and field names: neither means anything to it between tokens.
        if (HasData)
        {
            _walker.Feed(head[_fields.DataStart..]);
        }

        return _walker.SawError ? BackendError.Read(_fields.Payload) : null;
    }

    /// <summary>Returns how much may pass: all of it, unless an error showed.</summary>
    public int Feed(ReadOnlySpan<byte> piece) => HasData ? _walker!.Feed(piece) : piece.Length;

    public void Close() => IsOpen = false;

    public void Dispose()
    {
        _fields.Dispose();
        _walker?.Dispose();
    }
}
