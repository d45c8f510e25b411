using System.Collections.Concurrent;

namespace TokenFactory.TestKit.Processes;

/// <summary>The last lines a process has written, both streams in the order they came.</summary>
public sealed class ProcessOutput
{
    private const int MostLines = 10_000;
    private readonly ConcurrentQueue<(bool Error, string Line)> _lines = new();

    /// <summary>Standard output's lines.</summary>
    public IReadOnlyList<string> Lines => [.. _lines.Where(line => !line.Error).Select(line => line.Line)];

    public IReadOnlyList<string> ErrorLines => [.. _lines.Where(line => line.Error).Select(line => line.Line)];

    public override string ToString() => string.Join('\n', _lines.Select(line => (line.Error ? "err| " : "out| ") + line.Line));

    internal void Add(bool error, string? line)
    {
        if (line is null)
        {
            return;
        }

        _lines.Enqueue((error, line));
        if (_lines.Count > MostLines)
        {
            _lines.TryDequeue(out _);
        }
    }
}
