using System.Globalization;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace TokenFactory.Storage.Sqlite;

/// <summary>The database file of one data directory, and how every connection to it is opened.</summary>
internal sealed class SqliteFile
{
    public const string Name = "gateway.db";

    /// <summary>
    /// FULL syncs the log at every commit: durable means on the disk. The log is folded back every 2,000 pages (8 MB), few enough
    /// that no commit waits long for it, and is cut to 64 MB after a burst.
    /// </summary>
    private const string Durability =
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA wal_autocheckpoint=2000; PRAGMA journal_size_limit=67108864; PRAGMA temp_store=MEMORY;";

    private readonly TimeSpan _busyTimeout;

    public SqliteFile(SqliteStorageOptions options)
    {
        SqliteLibrary.Load();
        _busyTimeout = options.BusyTimeout;
        Pragmas = string.Create(CultureInfo.InvariantCulture, $"PRAGMA busy_timeout={(int)_busyTimeout.TotalMilliseconds}; {Durability}");
        Directory = Path.GetFullPath(options.DataDirectory);
        FilePath = Path.Combine(Directory, Name);
        ConnectionString = Describe(FilePath, options.BusyTimeout);
    }

    public string Directory { get; }

    public string FilePath { get; }

    public string ConnectionString { get; }

    /// <summary>What every connection is told first. The timeout leads, so that switching a new file to WAL waits for another process that does the same.</summary>
    public string Pragmas { get; }

    /// <summary>Makes the directory and the file when they are missing, the file its owner's alone, and says plainly when they cannot be written.</summary>
    public void Prepare()
    {
        var probe = Path.Combine(Directory, ".write-probe");
        try
        {
            System.IO.Directory.CreateDirectory(Directory);
            MakePrivate();
            using (new FileStream(probe, FileMode.Create, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, 1, FileOptions.DeleteOnClose))
            {
            }
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            throw new StorageException($"The data directory {Directory} cannot be written: {cause.Message} Give the gateway's user write access, or choose another with --data.", cause);
        }
    }

    public SqliteConnection Open()
    {
        var connection = new SqliteConnection(ConnectionString);
        try
        {
            connection.Open();
            Configure(connection);
            return connection;
        }
        catch (SqliteException cause)
        {
            connection.Dispose();
            throw Explain(cause);
        }
    }

    public void Configure(SqliteConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = Pragmas;
        command.ExecuteNonQuery();
    }

    public StorageException Explain(SqliteException cause) => new(Explain(cause.SqliteErrorCode, cause.Message), cause);

    public string Explain(int code, string detail) => (code & 0xff) switch
    {
        raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB =>
            $"{FilePath} is not a readable database ({detail}). Restore it from a backup; do not delete its -wal file, the newest records are there.",
        raw.SQLITE_FULL => $"The disk that holds {Directory} is full ({detail}). Free space there; the gateway goes on by itself.",
        raw.SQLITE_READONLY or raw.SQLITE_CANTOPEN or raw.SQLITE_PERM =>
            $"{FilePath} cannot be opened for writing ({detail}). Give the gateway's user write access to the file and its directory.",
        raw.SQLITE_BUSY or raw.SQLITE_LOCKED =>
            $"{FilePath} is held by another process for longer than {_busyTimeout} ({detail}).",
        raw.SQLITE_IOERR => $"The disk that holds {Directory} failed a read or write ({detail}).",
        _ => $"{FilePath}: {detail}",
    };

    /// <summary>SQLite would make the file readable by everybody; its log and index take over the file's own mode.</summary>
    private void MakePrivate()
    {
        if (OperatingSystem.IsWindows() || File.Exists(FilePath))
        {
            return;
        }

        new FileStream(FilePath, new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.Write,
            Share = FileShare.ReadWrite | FileShare.Delete,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        }).Dispose();
    }

    private static string Describe(string path, TimeSpan busyTimeout) => new SqliteConnectionStringBuilder
    {
        DataSource = path,
        ForeignKeys = true,
        Pooling = true,
        DefaultTimeout = Math.Max(1, (int)busyTimeout.TotalSeconds),
    }.ToString();
}
