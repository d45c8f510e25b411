using TokenFactory.Storage;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.TestKit.Contracts;

/// <summary>Journal entries with believable values.</summary>
public static class SomeRequest
{
    public static Price Price { get; } = new("price-1", 150_000_000, 75_000_000, 200_000_000, 600_000_000);

    public static Placement Placement { get; } = new("llama-eu", "gpu-eu", "eu-west-1", "meta-llama/Llama-3.1-8B-Instruct", "3.1", Price);

    public static Admission Admission(Guid instance, string tenant = "acme", DateTimeOffset? acceptedAt = null) => new()
    {
        RequestId = Ids.New(TimeProvider.System),
        InstanceId = instance,
        Tenant = tenant,
        Project = "search",
        Department = "r&d",
        KeyId = "k3f9aaaa",
        Tier = "standard",
        Operation = "chat",
        Stream = true,
        Model = "gpt-4o-mini",
        Placement = Placement,
        PolicyDecisionId = "decision-1",
        EstimatedInputTokens = 321,
        AcceptedAt = acceptedAt ?? TimeProvider.System.GetUtcNow(),
    };

    public static Denial Denial(Guid instance, string tenant = "acme") => new()
    {
        RequestId = Ids.New(TimeProvider.System),
        InstanceId = instance,
        Tenant = tenant,
        Project = "search",
        KeyId = "k3f9aaaa",
        Operation = "chat",
        Stream = false,
        Model = "gpt-4o-mini",
        PolicyDecisionId = "decision-2",
        Policy = """{"revision":"r1","bundle":"v3","rules":["no-secrets"]}""",
        Error = "policy_denied",
        Status = 403,
        Reason = "The policy in force does not allow this request: classification (by rule no-secrets).",
        DeniedAt = TimeProvider.System.GetUtcNow(),
    };

    public static Settlement Settlement(Admission admission, long output = 64) => new()
    {
        Admission = admission,
        Placement = admission.Placement,
        Outcome = Outcome.Completed,
        Evidence = Evidence.Reported,
        Tokens = new TokenUsage(812, 200, 0, output, 0),
        Attempts = [new Attempt(1, "llama-eu", "gpu-eu", "eu-west-1", 200, null, admission.AcceptedAt, TimeSpan.FromMilliseconds(380))],
        SettledAt = admission.AcceptedAt + TimeSpan.FromMilliseconds(381),
        TimeToFirstToken = TimeSpan.FromMilliseconds(41.2),
        Duration = TimeSpan.FromMilliseconds(380.5),
    };
}
