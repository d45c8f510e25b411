using System.Security.Cryptography;
using TokenFactory.Inference.ReadModel.Keys;

namespace TokenFactory.Administration.Configuration;

/// <summary>
/// The pepper of an installation that configures none: 32 random bytes in the data directory, for its owner alone.
/// Losing it makes every key that was digested under it useless, so it is never replaced.
/// </summary>
internal static class PepperFile
{
    public const string Version = "v1";

    private const string Name = "pepper";

    public static Pepper LoadOrCreate(string dataDirectory)
    {
        Directory.CreateDirectory(dataDirectory);
        var path = Path.Combine(dataDirectory, Name);
        if (!File.Exists(path))
        {
            Create(path);
        }

        return Load(path);
    }

    /// <returns>Null when there is none; none is made.</returns>
    public static Pepper? Find(string dataDirectory)
    {
        var path = Path.Combine(dataDirectory, Name);
        return File.Exists(path) ? Load(path) : null;
    }

    private static Pepper Load(string path)
    {
        var value = File.ReadAllBytes(path);
        return value.Length == KeyDigest.SizeBytes
            ? new Pepper(Version, value)
            : throw new InvalidDataException($"the file '{Name}' in the data directory must hold {KeyDigest.SizeBytes} bytes and holds {value.Length}: restore it from a backup");
    }

    // Written aside and moved into place, because the command line and `serve` may start at the same moment.
    private static void Create(string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        var aside = $"{path}.{Path.GetRandomFileName()}";
        using (var file = new FileStream(aside, options))
        {
            file.Write(RandomNumberGenerator.GetBytes(KeyDigest.SizeBytes));
            file.Flush(flushToDisk: true);
        }

        try
        {
            File.Move(aside, path, overwrite: false);
        }
        catch (IOException) when (File.Exists(path))
        {
            File.Delete(aside);
        }
    }
}
