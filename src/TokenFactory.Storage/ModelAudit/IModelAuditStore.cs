namespace TokenFactory.Storage.ModelAudit;

/// <summary>Keeps what the processes saw of deployments, so that whoever asks sees all of them, and tells what they found.</summary>
public interface IModelAuditStore
{
    /// <summary>All or none; a period written again is replaced.</summary>
    Task WriteAsync(IReadOnlyList<AuditedPeriod> periods, CancellationToken cancel);

    /// <summary>Keeps a flag and writes its event, both or neither; a second time nothing.</summary>
    Task RaiseAsync(AuditFlag flag, CancellationToken cancel);

    Task EndAsync(Guid flag, DateTimeOffset at, CancellationToken cancel);

    /// <summary>Removes periods that began, and flags that were over or found, before this moment.</summary>
    Task ForgetAsync(DateTimeOffset before, CancellationToken cancel);

    /// <summary>Those that began since, of every process; the oldest first.</summary>
    /// <param name="deployment">Null for all.</param>
    Task<IReadOnlyList<AuditedPeriod>> PeriodsAsync(DateTimeOffset since, string? deployment, CancellationToken cancel);

    /// <summary>Those that hold, and those that were over since; the newest first.</summary>
    /// <param name="deployment">Null for all.</param>
    Task<IReadOnlyList<AuditFlag>> FlagsAsync(DateTimeOffset since, string? deployment, CancellationToken cancel);
}
