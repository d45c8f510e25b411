using System.Globalization;

namespace TokenFactory.Administration.Iam.Platform;

/// <summary>
/// A body as lines, one at a time in one buffer. Bounded in every direction: a line, all of them, and the silence between
/// two reads.
/// </summary>
/// <param name="hearing">Called before each read: whatever watches for silence starts anew.</param>
internal sealed class JsonLines(Stream body, long limitBytes, Action hearing) : IDisposable
{
    public const int MaxLineBytes = 64 * 1024;

    private readonly byte[] _buffer = new byte[2 * MaxLineBytes];
    private int _start;
    private int _end;
    private long _read;
    private bool _isAtEnd;

    /// <summary>Valid until the next call of <see cref="ReadAsync"/>; empty where the line was too long.</summary>
    public ReadOnlyMemory<byte> Line { get; private set; }

    /// <summary>False at the end of the body.</summary>
    public async ValueTask<bool> ReadAsync(CancellationToken cancel)
    {
        var isTooLong = false;
        for (var searched = 0; ;)
        {
            var found = _buffer.AsSpan(_start + searched, _end - _start - searched).IndexOf((byte)'\n');
            if (found >= 0 || (_isAtEnd && _end > _start))
            {
                var length = found >= 0 ? searched + found : _end - _start;
                Line = isTooLong || length > MaxLineBytes ? default : _buffer.AsMemory(_start, length);
                _start = Math.Min(_end, _start + length + 1);
                return true;
            }

            if (_isAtEnd)
            {
                Line = default;
                return isTooLong;
            }

            if (_end - _start > MaxLineBytes)
            {
                // The rest of it is passed over.
                (isTooLong, _start, _end) = (true, 0, 0);
            }

            searched = _end - _start;
            await FillAsync(cancel);
        }
    }

    public void Dispose() => body.Dispose();

    private async ValueTask FillAsync(CancellationToken cancel)
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }

        hearing();
        var read = await body.ReadAsync(_buffer.AsMemory(_end), cancel);
        _isAtEnd = read == 0;
        _end += read;
        _read += read;
        if (_read > limitBytes)
        {
            throw new AnswerRefusedException(AnswerRefusal.TooLarge, string.Create(CultureInfo.InvariantCulture, $"the answer is larger than iam.answer_limit ({limitBytes} bytes)"));
        }
    }
}
