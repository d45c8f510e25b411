using TokenFactory.Storage.Ledger;

namespace TokenFactory.Storage;

/// <summary>
/// The numbers that tell whether what a process holds is still what is kept. They are asked for all day, so they are read by plain SQL:
/// a context that is made for the question costs many times the question.
/// </summary>
public sealed class StoreVersions
{
    private readonly StoreReader _reader;

    internal StoreVersions(StoreReader reader) => _reader = reader;

    /// <summary>The number every IAM change raises.</summary>
    public Task<long> IamAsync(CancellationToken cancel) => ReadAsync("SELECT version FROM read_model_version", cancel);

    /// <summary>The registry's highest revision; 0 while nothing was ever registered.</summary>
    public Task<long> RegistryAsync(CancellationToken cancel) => ReadAsync("SELECT coalesce(max(revision), 0) FROM registry_revisions", cancel);

    private async Task<long> ReadAsync(string sql, CancellationToken cancel) =>
        (await _reader.ReadAsync(tenant: null, _ => sql, static row => row.GetInt64(0), most: 1, cancel)).Single();
}
