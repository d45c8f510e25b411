using TokenFactory.Storage;
using TokenFactory.Storage.Audit;
using TokenFactory.Storage.Ledger;
using TokenFactory.Storage.Requests;

namespace TokenFactory.Administration.Tests.Requests;

/// <summary>Has one request of acme's project search, and remembers what it was asked, in order.</summary>
internal sealed class RecordingHistory : IRequestHistory, ICancellations, IAuditTrail
{
    public static readonly Guid Id = new(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);

    public List<(UsageFilter Filter, RequestStates States, string? After, int Limit)> Pages { get; } = [];

    public List<(Guid Id, string? Tenant, string? Project, string? Key)> Wishes { get; } = [];

    public Outcome? Outcome { get; set; }

    /// <summary>How the request ends while it is being cancelled.</summary>
    public Outcome? EndsWith { get; set; }

    public bool IsDown { get; set; }

    public Task<RequestPage> PageAsync(UsageFilter filter, RequestStates states, string? cursor, int limit, CancellationToken cancel)
    {
        Pages.Add((filter, states, cursor, limit));
        return cursor == "bad" ? throw new FormatException("forged") : Task.FromResult(new RequestPage([Record()], "cursor"));
    }

    public Task<RequestRecord?> FindAsync(Guid id, string? tenant, string? project, CancellationToken cancel) =>
        Task.FromResult(id == Id && (tenant, project) == ("acme", "search") ? Record() : null);

    public Task RequestAsync(Guid id, string? tenant, string? project, string? keyId, CancellationToken cancel)
    {
        if (IsDown)
        {
            throw new StorageException("away");
        }

        Wishes.Add((id, tenant, project, keyId));
        Outcome ??= EndsWith;
        return Task.CompletedTask;
    }

    public Task<AuditRecord?> FindAsync(Guid id, string? tenant, CancellationToken cancel) => Task.FromResult<AuditRecord?>(null);

    public Task<IReadOnlyList<Guid>> PendingAsync(Guid instance, CancellationToken cancel) => throw new NotSupportedException();

    public Task ForgetSettledAsync(CancellationToken cancel) => throw new NotSupportedException();

    public Task<IReadOnlyList<AuditRecord>> PageAsync(AuditFilter filter, Guid? before, int limit, CancellationToken cancel) => throw new NotSupportedException();

    public IAsyncEnumerable<AuditRecord> ReadAsync(AuditFilter filter, CancellationToken cancel) => throw new NotSupportedException();

    public Task<IReadOnlyList<AuditChainEnd>> ChainsAsync(CancellationToken cancel) => throw new NotSupportedException();

    private RequestRecord Record() => new()
    {
        RequestId = Id,
        Tenant = "acme",
        Project = "search",
        KeyId = "abcdefgh",
        Operation = "chat",
        Stream = true,
        Model = "gpt-4o-mini",
        Deployment = "llama-eu",
        FirstDeployment = "mixtral-eu",
        Provider = "gpu-eu",
        UpstreamModel = "llama",
        PriceId = "p",
        PolicyDecisionId = "d1",
        Policy = """{"revision":"r1","bundle":"v3","rules":["eu-only"],"excluded":[{"deployment":"llama-us","reason":"residency"}]}""",
        AcceptedAt = new DateTimeOffset(2026, 11, 20, 12, 0, 0, TimeSpan.Zero),
        Outcome = Outcome,
        Evidence = Evidence.Estimated,
        Tokens = new TokenUsage(812, 200, 0, 64, 0),
        CostNanoUsd = 175_200,
    };
}
