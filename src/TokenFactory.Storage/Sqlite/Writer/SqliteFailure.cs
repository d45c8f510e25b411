using SQLitePCL;

namespace TokenFactory.Storage.Sqlite.Writer;

/// <summary>A refusal by SQLite itself, with its extended result code.</summary>
internal sealed class SqliteFailure(int code, string message) : Exception(message)
{
    public int Code => code;

    /// <summary>Whether the row is at fault, so that the rows beside it may still be written; otherwise the store is.</summary>
    public bool IsTheRows => (code & 0xff) is raw.SQLITE_CONSTRAINT or raw.SQLITE_MISMATCH or raw.SQLITE_TOOBIG;
}
