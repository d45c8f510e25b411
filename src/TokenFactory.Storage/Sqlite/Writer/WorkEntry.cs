using TokenFactory.Storage.Journal.Writer;

namespace TokenFactory.Storage.Sqlite.Writer;

/// <summary>Rare writes that must not compete with the writer for the file: cursors, dead letters, retention.</summary>
internal sealed class WorkEntry(Action<SqliteSession> work) : Entry
{
    public void Run(SqliteSession session) => work(session);
}
