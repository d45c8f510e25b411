namespace TokenFactory.Storage.Sqlite;

/// <summary>An exclusive lock on a file, which the operating system gives back when its holder dies however it dies.</summary>
internal sealed class FileLock : IDisposable
{
    // What the runtime passes on of the system's own answer: EWOULDBLOCK, and ERROR_SHARING_VIOLATION as an HRESULT.
    private const int LockedOnLinux = 11;
    private const int LockedOnMacOS = 35;
    private const int LockedOnWindows = unchecked((int)0x80070020);

    private readonly FileStream _stream;

    private FileLock(FileStream stream) => _stream = stream;

    /// <returns>Null when another process, or another part of this one, holds it.</returns>
    /// <exception cref="StorageException">The file cannot be opened for another reason.</exception>
    public static FileLock? TryTake(string path)
    {
        try
        {
            return new FileLock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.None));
        }
        catch (IOException held) when (held.HResult is LockedOnLinux or LockedOnMacOS or LockedOnWindows)
        {
            return null;
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            throw new StorageException($"The lock file {path} cannot be opened: {cause.Message} Let the gateway's user write it, or remove what stands in its place.", cause);
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
