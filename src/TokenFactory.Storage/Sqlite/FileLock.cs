namespace TokenFactory.Storage.Sqlite;

/// <summary>An exclusive lock on a file, which the operating system gives back when its holder dies however it dies.</summary>
internal sealed class FileLock : IDisposable
{
    private readonly FileStream _stream;

    private FileLock(FileStream stream) => _stream = stream;

    /// <returns>Null when another process, or another part of this one, holds it.</returns>
    public static FileLock? TryTake(string path)
    {
        try
        {
            return new FileLock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.None));
        }
        catch (UnauthorizedAccessException)
        {
            throw;
        }
        catch (IOException)
        {
            return null;
        }
    }

    public static async Task<FileLock> TakeAsync(string path, TimeProvider clock, CancellationToken cancel)
    {
        while (true)
        {
            if (TryTake(path) is { } taken)
            {
                return taken;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), clock, cancel);
        }
    }

    public void Dispose() => _stream.Dispose();
}
