using TokenFactory.Storage.ModelAudit;

namespace TokenFactory.Inference.Tests.ModelAudit;

/// <summary>A store of the model audit in memory, that can be away.</summary>
internal sealed class BookStore : IModelAuditStore
{
    private readonly Dictionary<(string, DateTimeOffset, Guid), AuditedPeriod> _periods = [];

    public bool IsAway { get; set; }

    public List<AuditFlag> Raised { get; } = [];

    public List<Guid> Ended { get; } = [];

    public IReadOnlyList<AuditedPeriod> Periods => [.. _periods.Values];

    public Task WriteAsync(IReadOnlyList<AuditedPeriod> periods, CancellationToken cancel) => Do(() =>
    {
        foreach (var one in periods)
        {
            _periods[(one.Deployment, one.Start, one.InstanceId)] = one;
        }
    });

    public Task RaiseAsync(AuditFlag flag, CancellationToken cancel) => Do(() => Raised.Add(flag));

    public Task EndAsync(Guid flag, DateTimeOffset at, CancellationToken cancel) => Do(() => Ended.Add(flag));

    public Task ForgetAsync(DateTimeOffset before, CancellationToken cancel) => Do(() =>
    {
        foreach (var key in _periods.Keys.Where(key => key.Item2 < before).ToArray())
        {
            _periods.Remove(key);
        }
    });

    public Task<IReadOnlyList<AuditedPeriod>> PeriodsAsync(DateTimeOffset since, string? deployment, CancellationToken cancel) => Task.FromResult(Periods);

    public Task<IReadOnlyList<AuditFlag>> FlagsAsync(DateTimeOffset since, string? deployment, CancellationToken cancel) => Task.FromResult<IReadOnlyList<AuditFlag>>(Raised);

    private Task Do(Action write)
    {
        if (IsAway)
        {
            return Task.FromException(new TimeoutException("the store is away"));
        }

        write();
        return Task.CompletedTask;
    }
}
