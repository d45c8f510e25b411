using Microsoft.EntityFrameworkCore;

namespace TokenFactory.Storage;

/// <summary>What migrating needs to know of the database that the schema lives in.</summary>
internal interface ISchemaHome
{
    /// <summary>For messages.</summary>
    string Name { get; }

    /// <summary>Whether there is a store to look into: false only before a file's first start.</summary>
    bool Exists { get; }

    /// <summary>Waits until no other process migrates. Whoever holds the turn may die: the next one gets it all the same.</summary>
    Task<IAsyncDisposable> TakeTurnAsync(DbContext context, CancellationToken cancel);

    /// <summary>Inside the turn, before migrations are applied.</summary>
    Task BeforeAsync(DbContext context, CancellationToken cancel);

    /// <summary>Inside the turn, whether migrations were applied or not.</summary>
    /// <returns>What else it did.</returns>
    Task<IReadOnlyList<string>> AfterAsync(CancellationToken cancel);

    /// <returns>Null when the cause is not the database's.</returns>
    StorageException? Explain(Exception cause);
}
