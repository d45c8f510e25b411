using TokenFactory.Storage.Ledger;

namespace TokenFactory.Storage.Requests;

/// <summary>Reads what became of every admitted request, on whatever replica it runs or ran.</summary>
public interface IRequestHistory
{
    /// <param name="filter">An outcome in it leaves out what runs.</param>
    /// <param name="cursor">The <see cref="RequestPage.Next"/> of the page before; null for the first. A forged one throws <see cref="FormatException"/>.</param>
    Task<RequestPage> PageAsync(UsageFilter filter, RequestStates states, string? cursor, int limit, CancellationToken cancel);

    /// <param name="tenant">Whose request it must be; null only for the operator's own command line.</param>
    /// <param name="project">Of which project; null for any.</param>
    Task<RequestRecord?> FindAsync(Guid id, string? tenant, string? project, CancellationToken cancel);
}
