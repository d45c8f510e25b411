namespace TokenFactory.Gateway.Commands;

/// <summary>A file that has its name only once it is whole, for its owner alone.</summary>
internal static class WholeFile
{
    /// <exception cref="IOException">It exists: nothing is overwritten.</exception>
    public static async Task<T> WriteAsync<T>(string path, Func<Stream, Task<T>> write)
    {
        if (File.Exists(path))
        {
            throw new IOException($"{path} exists already. Remove it, or choose another name.");
        }

        var aside = $"{path}.{Path.GetRandomFileName()}";
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 1 << 20 };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        try
        {
            T result;
            await using (var file = new FileStream(aside, options))
            {
                result = await write(file);
                file.Flush(flushToDisk: true);
            }

            File.Move(aside, path, overwrite: false);
            return result;
        }
        finally
        {
            File.Delete(aside);
        }
    }
}
