using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace TokenFactory.Storage.Sqlite.Writer;

/// <summary>
/// The calls made dozens of times per request. The wrapper's own cost more than half of a row, in handle counting and in
/// copies of every text; these do neither. They only store a value, so they may run without leaving managed mode.
/// </summary>
internal static unsafe partial class NativeBinding
{
    private const string Library = "e_sqlite3";

    [LibraryImport(Library, EntryPoint = "sqlite3_bind_int64")]
    [SuppressGCTransition]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    public static partial int BindInteger(IntPtr statement, int index, long value);

    [LibraryImport(Library, EntryPoint = "sqlite3_bind_null")]
    [SuppressGCTransition]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    public static partial int BindNull(IntPtr statement, int index);

    /// <param name="destructor">Zero when the bytes stay where they are until the row is written, -1 to have them copied.</param>
    [LibraryImport(Library, EntryPoint = "sqlite3_bind_text")]
    [SuppressGCTransition]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    public static partial int BindText(IntPtr statement, int index, byte* text, int length, IntPtr destructor);

    /// <inheritdoc cref="BindText"/>
    [LibraryImport(Library, EntryPoint = "sqlite3_bind_blob")]
    [SuppressGCTransition]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    public static partial int BindBlob(IntPtr statement, int index, byte* bytes, int length, IntPtr destructor);
}
