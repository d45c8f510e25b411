namespace TokenFactory.Storage.Sqlite;

/// <summary>Where the embedded store lives, and its bounds.</summary>
public sealed class SqliteStorageOptions
{
    /// <summary>Holds <c>gateway.db</c> and the file sinks' files; made when it is missing.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>This process, on its admissions and in its events' <c>source</c>.</summary>
    public required Guid InstanceId { get; init; }

    /// <summary>Entries waiting for the journal's writer. New admissions are refused from three quarters on, so that what runs can still be closed.</summary>
    public int QueueCapacity { get; init; } = 8192;

    /// <summary>Entries of one transaction.</summary>
    public int BatchSize { get; init; } = 512;

    /// <summary>How long a writer waits for another process that writes the same file.</summary>
    public TimeSpan BusyTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long delivered events are kept.</summary>
    public TimeSpan OutboxRetention { get; init; } = TimeSpan.FromDays(7);

    /// <summary>Whether a request's steps before its settlement are events too: one more row for each request.</summary>
    public bool LifecycleEvents { get; init; }
}
