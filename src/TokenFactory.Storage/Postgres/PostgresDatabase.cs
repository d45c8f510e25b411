using System.Net.Sockets;
using Npgsql;

namespace TokenFactory.Storage.Postgres;

/// <summary>The database, and how connections to it are opened.</summary>
internal sealed class PostgresDatabase : IAsyncDisposable, IDisposable
{
    /// <summary>For everything beside the journal: the relay, the ledger, the embedded IAM. Few, because replicas are many.</summary>
    private const int DefaultPoolSize = 20;

    /// <summary>Those of the journal, with room: one that is pushed out is prepared again.</summary>
    private const int WriterStatements = 20;

    private readonly string _writerConnection;

    public PostgresDatabase(PostgresStorageOptions options)
    {
        NpgsqlConnectionStringBuilder text;
        try
        {
            text = PostgresConnectionText.Parse(options.Connection);
        }
        catch (Exception cause) when (cause is ArgumentException or FormatException)
        {
            // The cause is left out: it may repeat the password.
            throw new StorageException($"The PostgreSQL connection cannot be read: {PostgresStorageOptions.MistakeIn(options.Connection)}.");
        }

        text.ApplicationName ??= "tokenfactory-gateway";
        if (!text.ContainsKey("Maximum Pool Size"))
        {
            text.MaxPoolSize = DefaultPoolSize;
        }

        Name = $"the PostgreSQL database {text.Database} at {text.Host}:{text.Port}";
        User = text.Username ?? "";
        Pool = NpgsqlDataSource.Create(text);

        // Not pooled: a connection that is given up must never serve again. The timeouts only bound how long one that was
        // given up lingers; the journal keeps its own deadline.
        text.Pooling = false;
        text.CommandTimeout = Math.Max(2, (int)Math.Ceiling(options.WriteDeadline.TotalSeconds * 2));
        text.Timeout = Math.Max(2, (int)Math.Ceiling(options.StartDeadline.TotalSeconds));

        // The same few statements thousands of times a second: planning them costs a small batch more than running them.
        (text.MaxAutoPrepare, text.AutoPrepareMinUsages) = (WriterStatements, 2);
        _writerConnection = text.ToString();
    }

    /// <summary>For messages: it names no user and no password.</summary>
    public string Name { get; }

    public string User { get; }

    public NpgsqlDataSource Pool { get; }

    public NpgsqlConnection NewWriterConnection() => new(_writerConnection);

    /// <summary>It waits for days: only probing finds out that the other side is gone without a word.</summary>
    public NpgsqlConnection NewListenerConnection() => new(new NpgsqlConnectionStringBuilder(_writerConnection) { KeepAlive = 30 }.ToString());

    public void Dispose() => Pool.Dispose();

    public ValueTask DisposeAsync() => Pool.DisposeAsync();

    /// <returns>Null when the cause is not the database's.</returns>
    public StorageException? Explain(Exception cause) => cause switch
    {
        StorageException known => known,

        // EF Core's wrapping of what it takes for a passing trouble.
        InvalidOperationException { InnerException: NpgsqlException inner } => Explain(inner),
        PostgresException refusal => new StorageException(Explain(refusal), refusal),
        NpgsqlException { InnerException: TimeoutException } or TimeoutException => new StorageException($"{Capital(Name)} did not answer in time.", cause),
        NpgsqlException { InnerException: SocketException socket } =>
            new StorageException($"{Capital(Name)} cannot be reached: {socket.Message}. Check that it runs and that the connection's host and port are right.", cause),
        NpgsqlException or SocketException or IOException => new StorageException($"{Capital(Name)}: {cause.Message}", cause),
        _ => null,
    };

    private string Explain(PostgresException refusal) => refusal.SqlState switch
    {
        PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification =>
            $"{Capital(Name)} refused the user '{User}' ({refusal.MessageText}). Check the user and password of the connection.",
        PostgresErrorCodes.InvalidCatalogName => $"{Capital(Name)} does not exist. Create it, or change the connection.",
        PostgresErrorCodes.InsufficientPrivilege =>
            $"The user '{User}' may not do this in {Name} ({refusal.MessageText}). Run 'gateway migrate' as the schema's owner, and grant the gateway's user SELECT, INSERT, UPDATE and DELETE on its tables and USAGE on its sequences.",
        PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedColumn =>
            $"{Capital(Name)} does not have this program's schema ({refusal.MessageText}). Run 'gateway migrate'.",
        PostgresErrorCodes.ReadOnlySqlTransaction => $"{Capital(Name)} is read-only. The connection must lead to the primary, not to a replica.",
        PostgresErrorCodes.DiskFull => $"The disk of {Name} is full ({refusal.MessageText}). Free space there; the gateway goes on by itself.",
        PostgresErrorCodes.TooManyConnections => $"{Capital(Name)} has no connection left ({refusal.MessageText}). Raise max_connections, or lower 'Maximum Pool Size' in the connection.",
        _ => $"{Capital(Name)}: {refusal.MessageText} ({refusal.SqlState})",
    };

    private static string Capital(string name) => char.ToUpperInvariant(name[0]) + name[1..];
}
