namespace TokenFactory.Storage.Audit;

/// <summary>Reads the audit trail.</summary>
public interface IAuditTrail
{
    Task<AuditRecord?> FindAsync(Guid id, string? tenant, CancellationToken cancel);

    /// <param name="before">The last record of the page before; null for the first page.</param>
    /// <returns>The newest first.</returns>
    Task<IReadOnlyList<AuditRecord>> PageAsync(AuditFilter filter, Guid? before, int limit, CancellationToken cancel);

    /// <summary>In the order the requests came.</summary>
    IAsyncEnumerable<AuditRecord> ReadAsync(AuditFilter filter, CancellationToken cancel);

    Task<IReadOnlyList<AuditChainEnd>> ChainsAsync(CancellationToken cancel);
}
