namespace TokenFactory.Storage.Postgres;

/// <summary>Where the shared store lives, and its bounds.</summary>
public sealed class PostgresStorageOptions
{
    /// <summary>
    /// Npgsql's <c>Host=…;Database=…;Username=…</c>, or a <c>postgres://user:password@host:port/database</c> URL. It must lead to
    /// the primary, and not through a pooler in transaction mode: the journal's session has settings of its own.
    /// </summary>
    public required string Connection { get; init; }

    /// <summary>This process, on its admissions and in its events' <c>source</c>. No two living processes may share one.</summary>
    public required Guid InstanceId { get; init; }

    /// <summary>Entries waiting for the journal's writer. New admissions are refused from three quarters on, so that what runs can still be closed.</summary>
    public int QueueCapacity { get; init; } = 8192;

    /// <summary>Entries of one transaction.</summary>
    public int BatchSize { get; init; } = 512;

    /// <summary>
    /// How long one try of a batch may take. A batch whose outcome is unknown then is sent once more, with the same ids on a new
    /// connection, before its waiters are told that it failed.
    /// </summary>
    public TimeSpan WriteDeadline { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long the first connection of the process may take: nobody waits for an answer yet, and a cold process on a busy machine is slow.</summary>
    public TimeSpan StartDeadline { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>An instance that has not been heard of for this long, by the database's clock, is dead: another settles what it left open.</summary>
    public TimeSpan InstanceLease { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long one replica keeps a sink to itself without an acknowledgement, by the database's clock.</summary>
    public TimeSpan SinkLease { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long delivered events are kept; they leave a day at a time.</summary>
    public TimeSpan OutboxRetention { get; init; } = TimeSpan.FromDays(7);

    /// <summary>Whether a request's steps before its settlement are events too: one more row for each request.</summary>
    public bool LifecycleEvents { get; init; }

    /// <returns>What is wrong with a connection, without repeating it (it holds a password); null when nothing is.</returns>
    public static string? MistakeIn(string connection)
    {
        try
        {
            var text = PostgresConnectionText.Parse(connection);
            return string.IsNullOrWhiteSpace(text.Host) ? "it names no host"
                : string.IsNullOrWhiteSpace(text.Database) ? "it names no database"
                : null;
        }
        catch (Exception cause) when (cause is ArgumentException or FormatException)
        {
            return "it is neither 'Host=…;Database=…;Username=…;Password=…' nor a postgres:// URL";
        }
    }
}
