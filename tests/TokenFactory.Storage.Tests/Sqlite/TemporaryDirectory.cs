using TokenFactory.Storage.Sqlite;

namespace TokenFactory.Storage.Tests.Sqlite;

/// <summary>A data directory that goes when the test does.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    public TemporaryDirectory()
    {
        // Clearing the pools names a SQLite type, which must not be the first in the process.
        SqliteLibrary.Load();
    }

    public string Path { get; } = Directory.CreateTempSubdirectory("gateway-storage-").FullName;

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose()
    {
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        if (Directory.Exists(Path))
        {
            Directory.Delete(Path, recursive: true);
        }
    }
}
