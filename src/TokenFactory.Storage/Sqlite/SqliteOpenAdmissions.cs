using TokenFactory.Storage.Journal;

namespace TokenFactory.Storage.Sqlite;

/// <summary>Finds what instances left open. An instance found clean is marked, so that each start looks only at what is new since.</summary>
internal sealed class SqliteOpenAdmissions(SqliteFile file, SqliteStorageOptions options, SqliteJournal journal, TimeProvider clock) : IOpenAdmissions
{
    /// <summary>Steps from one instance to the next through the index, and so reads as many rows as there are instances.</summary>
    private const string InstancesSql =
        """
        WITH RECURSIVE ids(id) AS (
          SELECT min(instance_id) FROM admissions
          UNION ALL
          SELECT (SELECT min(instance_id) FROM admissions WHERE instance_id > ids.id) FROM ids WHERE ids.id IS NOT NULL)
        SELECT id FROM ids
        WHERE id IS NOT NULL AND (@own OR id <> @self)
          AND (id = @self OR NOT EXISTS (SELECT 1 FROM instances WHERE instance_id = ids.id AND closed_at IS NOT NULL))
        """;

    /// <summary>The one after those every store has.</summary>
    private const int RowColumn = OpenAdmissionColumns.Count;

    private const string PageSql =
        $"""
        SELECT {OpenAdmissionColumns.All}, a.rowid
        FROM admissions a LEFT JOIN checkpoints c ON c.request_id = a.request_id
        WHERE a.instance_id = @instance AND a.rowid > @after
          AND NOT EXISTS (SELECT 1 FROM settlements s WHERE s.request_id = a.request_id)
        ORDER BY a.rowid LIMIT @limit
        """;

    public Task<IReadOnlyList<Guid>> InstancesAsync(bool alsoOwn, CancellationToken cancel)
    {
        using var connection = file.Open();
        using var command = connection.CreateCommand();
        command.CommandText = InstancesSql;
        command.Parameters.AddWithValue("@own", alsoOwn);
        command.Parameters.AddWithValue("@self", options.InstanceId.ToByteArray(bigEndian: true));
        using var reader = command.ExecuteReader();
        List<Guid> instances = [];
        while (reader.Read())
        {
            instances.Add(SqliteValues.Instance.Id(reader, 0));
        }

        return Task.FromResult<IReadOnlyList<Guid>>(instances);
    }

    public Task<IReadOnlyList<OpenAdmission>> PageAsync(Guid instance, OpenAdmission? after, int limit, CancellationToken cancel)
    {
        using var connection = file.Open();
        using var command = connection.CreateCommand();
        command.CommandText = PageSql;
        command.Parameters.AddWithValue("@instance", instance.ToByteArray(bigEndian: true));
        command.Parameters.AddWithValue("@after", after?.Row ?? 0L);
        command.Parameters.AddWithValue("@limit", limit);
        using var reader = command.ExecuteReader();
        List<OpenAdmission> page = [];
        while (reader.Read())
        {
            page.Add(OpenAdmissionColumns.Read(reader, SqliteValues.Instance, reader.GetInt64(RowColumn)));
        }

        return Task.FromResult<IReadOnlyList<OpenAdmission>>(page);
    }

    public Task CloseAsync(Guid instance)
    {
        var now = clock.GetUtcNow();
        return instance == options.InstanceId ? Task.CompletedTask : journal.WriteAsync(session =>
        {
            using var close = session.Connection.Prepare(
                "INSERT INTO instances (instance_id, started_at, heartbeat_at, closed_at) VALUES (?1,?2,?2,?2) ON CONFLICT (instance_id) DO UPDATE SET closed_at = ?2");
            close.Row().Bind(instance).Bind(now).Run();
        });
    }
}
