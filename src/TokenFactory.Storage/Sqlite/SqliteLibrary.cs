using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using SQLitePCL;

namespace TokenFactory.Storage.Sqlite;

/// <summary>
/// Binds EF Core's SQLite provider to the operating system's own SQLite, which the system keeps patched. EF Core asks for
/// SQLitePCLRaw 2.1 by assembly version while 2.0 is what can be had and has all it uses, so the loader is told to take it.
/// <see cref="Load"/> must run before any method that names a SQLite type is compiled.
/// </summary>
internal static class SqliteLibrary
{
    private const string Wrapper = "SQLitePCLRaw";
    private const string NativeName = "e_sqlite3";

    private static readonly Lazy<bool> _loaded = new(() =>
    {
        AssemblyLoadContext.Default.Resolving += TakeTheVersionThatCame;
        UseTheSystemsLibrary();
        return true;
    });

    public static void Load() => _ = _loaded.Value;

    private static Assembly? TakeTheVersionThatCame(AssemblyLoadContext context, AssemblyName name)
    {
        if (name.Name?.StartsWith(Wrapper, StringComparison.Ordinal) is not true)
        {
            return null;
        }

        // The host's own list of assemblies: right for a build, a published directory and the design-time tools alike.
        var file = (AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES") as string)?
            .Split(Path.PathSeparator)
            .FirstOrDefault(path => Path.GetFileNameWithoutExtension(path) == name.Name)
            ?? Path.Combine(AppContext.BaseDirectory, name.Name + ".dll");
        return File.Exists(file) ? context.LoadFromAssemblyPath(file) : null;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void UseTheSystemsLibrary()
    {
        foreach (var caller in new[] { typeof(SQLite3Provider_e_sqlite3).Assembly, typeof(SqliteLibrary).Assembly })
        {
            NativeLibrary.SetDllImportResolver(
                caller, (name, assembly, path) => name == NativeName ? NativeLibrary.Load(SystemName(), assembly, path) : IntPtr.Zero);
        }

        raw.SetProvider(new SQLite3Provider_e_sqlite3());
    }

    private static string SystemName() =>
        OperatingSystem.IsWindows() ? "winsqlite3" : OperatingSystem.IsMacOS() ? "libsqlite3.dylib" : "libsqlite3.so.0";
}
