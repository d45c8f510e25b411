namespace TokenFactory.Inference.Dialects.Events;

/// <summary>
/// Finds where server-sent events end: at a blank line, after LF, CRLF or lone CR (WHATWG HTML, "Parsing an event
/// stream"). Keeps its place between chunks, so every byte is looked at once.
/// </summary>
internal struct EventEnd
{
    private bool _inLine;
    private bool _afterCr;

    /// <summary>Lines of the current event, without the blank one.</summary>
    public int Lines { get; private set; }

    /// <summary>
    /// The length of the piece that ends the current event, or -1 when it goes on in the next chunk. A blank line that
    /// ends in CR is complete there: waiting for an LF that may never come would hold a live event back.
    /// </summary>
    public int Find(ReadOnlySpan<byte> span)
    {
        var at = 0;
        while (at < span.Length)
        {
            if (!_inLine)
            {
                var first = span[at];
                if (_afterCr && first == '\n')
                {
                    _afterCr = false;
                    at++;
                    continue;
                }

                _afterCr = false;
                if (first is (byte)'\n' or (byte)'\r')
                {
                    return at + 1;
                }
            }

            var end = span[at..].IndexOfAny((byte)'\n', (byte)'\r');
            if (end < 0)
            {
                _inLine = true;
                return -1;
            }

            at += end;
            _inLine = false;
            _afterCr = span[at] == '\r';
            Lines++;
            at++;
        }

        return -1;
    }

    public void Next() => this = default;
}
