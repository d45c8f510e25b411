namespace TokenFactory.Storage.Requests;

/// <summary>
/// Carries the wish that a running request be stopped to the process that runs it. A wish is durable when it is told as taken, and
/// leaves with the request's settlement, whoever settles it: there are never more than there are open requests.
/// </summary>
public interface ICancellations
{
    /// <summary>Asks that it be stopped; asking again changes nothing, and so does asking of what is no open request of this tenant and project.</summary>
    /// <param name="tenant">Null only for the operator's own command line.</param>
    /// <param name="project">Null for any.</param>
    /// <param name="keyId">Whose key asked; null for the operator.</param>
    Task RequestAsync(Guid id, string? tenant, string? project, string? keyId, CancellationToken cancel);

    /// <summary>The requests that this instance runs and somebody wants stopped.</summary>
    Task<IReadOnlyList<Guid>> PendingAsync(Guid instance, CancellationToken cancel);

    /// <summary>Removes wishes that came when their request had just been settled.</summary>
    Task ForgetSettledAsync(CancellationToken cancel);
}
