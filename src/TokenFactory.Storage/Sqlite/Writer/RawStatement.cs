using System.Runtime.CompilerServices;
using System.Text;
using SQLitePCL;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Storage.Sqlite.Writer;

/// <summary>
/// A prepared statement whose parameters are bound in the order they stand in its text. Texts and bytes of a row are laid
/// into one pinned buffer that SQLite reads in place; what does not fit there it copies.
/// </summary>
internal sealed unsafe class RawStatement(RawConnection connection, sqlite3_stmt statement) : IDisposable
{
    private const int BufferBytes = 4096;
    private static readonly IntPtr _inPlace = 0;
    private static readonly IntPtr _copied = -1;

    private readonly IntPtr _handle = statement.DangerousGetHandle();
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(BufferBytes, pinned: true);
    private int _used;
    private int _bound;

    /// <summary>Starts a row. Explicit, because a row that failed half bound must not shift the next one's values.</summary>
    public RawStatement Row()
    {
        _bound = 0;
        _used = 0;
        return this;
    }

    public RawStatement Bind(long value) => Bound(NativeBinding.BindInteger(_handle, ++_bound, value));

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

        if (Encoding.UTF8.TryGetBytes(text, _buffer.AsSpan(_used), out var length))
        {
            return Bound(NativeBinding.BindText(_handle, ++_bound, Place(length), length, _inPlace));
        }

        fixed (byte* bytes = Encoding.UTF8.GetBytes(text))
        {
            return Bound(NativeBinding.BindText(_handle, ++_bound, bytes, Encoding.UTF8.GetByteCount(text), _copied));
        }
    }

    public RawStatement Bind(ReadOnlySpan<byte> bytes)
    {
        if (bytes.TryCopyTo(_buffer.AsSpan(_used)))
        {
            return Bound(NativeBinding.BindBlob(_handle, ++_bound, Place(bytes.Length), bytes.Length, _inPlace));
        }

        fixed (byte* start = bytes)
        {
            return Bound(NativeBinding.BindBlob(_handle, ++_bound, start, bytes.Length, _copied));
        }
    }

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

    /// <summary>Reads whole numbers.</summary>
    /// <returns>The first row; null when there is none.</returns>
    public long[]? First(int columns) =>
        First(row => Enumerable.Range(0, columns).Select(column => raw.sqlite3_column_int64(row, column)).ToArray());

    /// <returns>What was made of the first row; null when there is none.</returns>
    public T? First<T>(Func<sqlite3_stmt, T> read)
        where T : class
    {
        var code = raw.sqlite3_step(statement);
        try
        {
            connection.Check(code);
            return code == raw.SQLITE_ROW ? read(statement) : null;
        }
        finally
        {
            _ = raw.sqlite3_reset(statement);
        }
    }

    public void Dispose() => statement.Dispose();

    /// <summary>Never null, not even for an empty text at the buffer's end: SQLite takes a null pointer for NULL.</summary>
    private byte* Place(int length)
    {
        var start = (byte*)Unsafe.AsPointer(ref System.Runtime.InteropServices.MemoryMarshal.GetArrayDataReference(_buffer)) + _used;
        _used += length;
        return start;
    }

    private RawStatement Null() => Bound(NativeBinding.BindNull(_handle, ++_bound));

    private RawStatement Bound(int code)
    {
        if (code != raw.SQLITE_OK)
        {
            connection.Check(code);
        }

        return this;
    }
}
