namespace TokenFactory.Storage.Journal;

/// <summary>Finds what instances left open.</summary>
internal interface IOpenAdmissions
{
    /// <summary>The instances that may have open admissions and are known to be dead.</summary>
    /// <param name="alsoOwn">Right only before the first request: an instance id that is kept over restarts has orphans of its own.</param>
    Task<IReadOnlyList<Guid>> InstancesAsync(bool alsoOwn, CancellationToken cancel);

    /// <param name="after">The last of the page before; null for the first.</param>
    Task<IReadOnlyList<OpenAdmission>> PageAsync(Guid instance, OpenAdmission? after, int limit, CancellationToken cancel);

    /// <summary>Marks an instance found clean, so that only what is new since is looked at again.</summary>
    Task CloseAsync(Guid instance);
}
