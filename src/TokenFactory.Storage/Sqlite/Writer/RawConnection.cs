using SQLitePCL;

namespace TokenFactory.Storage.Sqlite.Writer;

/// <summary>A connection without ADO.NET between: every request waits for what runs here. Used by one thread.</summary>
internal sealed class RawConnection : IDisposable
{
    private readonly sqlite3 _db;

    public RawConnection(SqliteFile file)
    {
        var code = raw.sqlite3_open_v2(file.FilePath, out _db, raw.SQLITE_OPEN_READWRITE | raw.SQLITE_OPEN_NOMUTEX, null);
        try
        {
            Check(code);
            _ = raw.sqlite3_extended_result_codes(_db, 1);
            Execute(file.Pragmas);
        }
        catch
        {
            _db.Dispose();
            throw;
        }
    }

    public int Changes => raw.sqlite3_changes(_db);

    public void Execute(string sql) => Check(raw.sqlite3_exec(_db, sql));

    /// <param name="kept">Whether it is reused for the connection's life, so that SQLite keeps it out of its small-object memory.</param>
    public RawStatement Prepare(string sql, bool kept = false)
    {
        Check(raw.sqlite3_prepare_v3(_db, sql, kept ? (uint)raw.SQLITE_PREPARE_PERSISTENT : 0, out var statement));
        return new RawStatement(this, statement);
    }

    public void Check(int code)
    {
        if (code is not (raw.SQLITE_OK or raw.SQLITE_DONE or raw.SQLITE_ROW))
        {
            throw new SqliteFailure(code, $"SQLite error {code}: {raw.sqlite3_errmsg(_db).utf8_to_string()}");
        }
    }

    public void Dispose() => raw.sqlite3_close_v2(_db);
}
