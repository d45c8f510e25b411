using TokenFactory.Storage.Outbox;

namespace TokenFactory.Storage.Relay;

/// <summary>
/// Appends events as JSON lines and syncs before it acknowledges. A crash between the two leaves a torn last line, which is cut
/// off at the next opening, or whole lines whose cursor did not move, which then stand there twice with the same bytes.
/// </summary>
internal sealed class FileSink(string name, string path, int maxBatch) : ISink, IDisposable
{
    private FileStream? _file;

    public string Name => name;

    public int MaxBatch => maxBatch;

    public Task OpenAsync(CancellationToken cancel)
    {
        _file?.Dispose();
        _file = null;
        if (Path.GetDirectoryName(path) is { Length: > 0 } directory)
        {
            Directory.CreateDirectory(directory);
        }

        _file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        CutTornLine(_file);
        return Task.CompletedTask;
    }

    public async Task DeliverAsync(IReadOnlyList<OutboxMessage> batch, CancellationToken cancel)
    {
        var file = _file ?? throw new InvalidOperationException("The sink was not opened.");
        using var lines = new MemoryStream(batch.Sum(message => message.Body.Length + 1));
        foreach (var message in batch)
        {
            lines.Write(message.Body.Span);
            lines.WriteByte((byte)'\n');
        }

        // Another replica may have served the sink since this one opened the file.
        file.Seek(0, SeekOrigin.End);
        await file.WriteAsync(lines.GetBuffer().AsMemory(0, (int)lines.Length), cancel);
        file.Flush(flushToDisk: true);
    }

    public void Dispose() => _file?.Dispose();

    private static void CutTornLine(FileStream file)
    {
        Span<byte> window = stackalloc byte[4096];
        var end = file.Length;
        for (var start = end; start > 0;)
        {
            var size = (int)Math.Min(window.Length, start);
            start -= size;
            file.Seek(start, SeekOrigin.Begin);
            file.ReadExactly(window[..size]);
            var newline = window[..size].LastIndexOf((byte)'\n');
            if (newline >= 0)
            {
                file.SetLength(start + newline + 1);
                return;
            }
        }

        file.SetLength(0);
    }
}
