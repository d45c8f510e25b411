using System.Text;
using SQLitePCL;

namespace TokenFactory.Storage.Sqlite.Writer;

/// <summary>A prepared statement whose parameters are bound in the order they stand in its text.</summary>
internal sealed class RawStatement(RawConnection connection, sqlite3_stmt statement) : IDisposable
{
    private int _bound;

    /// <summary>Starts a row. Explicit, because a row that failed half bound must not shift the next one's values.</summary>
    public RawStatement Row()
    {
        _bound = 0;
        return this;
    }

    public RawStatement Bind(long value) => Bound(raw.sqlite3_bind_int64(statement, ++_bound, value));

    public RawStatement Bind(long? value) => value is { } number ? Bind(number) : Null();

    public RawStatement Bind(bool value) => Bind(value ? 1L : 0L);

    public RawStatement Bind(DateTimeOffset time) => Bind(Micros.Of(time));

    public RawStatement Bind(Guid id)
    {
        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        return Bind(bytes);
    }

    public RawStatement Bind(string? text)
    {
        if (text is null)
        {
            return Null();
        }

        if (text.Length == 0)
        {
            // An empty span would reach SQLite as a null pointer, which it takes for NULL.
            return Bound(raw.sqlite3_bind_text(statement, ++_bound, text));
        }

        var most = Encoding.UTF8.GetMaxByteCount(text.Length);
        Span<byte> bytes = most <= 512 ? stackalloc byte[most] : new byte[most];
        return Bound(raw.sqlite3_bind_text(statement, ++_bound, bytes[..Encoding.UTF8.GetBytes(text, bytes)]));
    }

    public RawStatement Bind(ReadOnlySpan<byte> bytes) => Bound(raw.sqlite3_bind_blob(statement, ++_bound, bytes));

    /// <summary>Runs to the end and makes the statement ready for its next row.</summary>
    /// <returns>How many rows it changed.</returns>
    public int Run()
    {
        var code = raw.sqlite3_step(statement);
        try
        {
            connection.Check(code);
            return connection.Changes;
        }
        finally
        {
            _ = raw.sqlite3_reset(statement);
        }
    }

    public void Dispose() => statement.Dispose();

    private RawStatement Null() => Bound(raw.sqlite3_bind_null(statement, ++_bound));

    private RawStatement Bound(int code)
    {
        if (code != raw.SQLITE_OK)
        {
            connection.Check(code);
        }

        return this;
    }
}
