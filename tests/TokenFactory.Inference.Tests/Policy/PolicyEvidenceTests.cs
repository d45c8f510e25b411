using System.Collections.Frozen;
using TokenFactory.Inference.Intake;
using TokenFactory.Inference.Policy;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Keys;
using Xunit;

namespace TokenFactory.Inference.Tests.Policy;

/// <summary>What most of a tenant's requests rest on is written once a snapshot, and is nobody else's.</summary>
public sealed class PolicyEvidenceTests
{
    private static readonly Decision _eu = new("d", ["eu"], new Tenant("acme") { Region = "eu" }, "none", Verdict.Nothing);

    [Fact]
    public void P11_The_usual_evidence_is_the_tenants_own_and_the_snapshots()
    {
        var (first, second) = (Some("r1"), Some("r2"));

        Assert.Equal("""{"revision":"r1","regions":["eu"]}""", Of(first, _eu));
        Assert.Same(Of(first, _eu), Of(first, _eu));
        Assert.Equal("""{"revision":"r1","regions":["us"]}""", Of(first, _eu with { Regions = ["us"], Tenant = new Tenant("globex") { Region = "us" } }));
        Assert.Equal("""{"revision":"r2","regions":["eu"]}""", Of(second, _eu));
    }

    [Fact]
    public void P11_What_a_request_declares_is_in_its_evidence_and_in_no_other()
    {
        var snapshot = Some("r1");
        var usual = Of(snapshot, _eu);

        var declared = PolicyEvidence.Of(snapshot, Governance.Undeclared with { Classification = "internal" }, _eu, [], shadow: null);

        Assert.Equal("""{"revision":"r1","regions":["eu"],"declared":{"classification":"internal"}}""", declared);
        Assert.Equal(usual, Of(snapshot, _eu));
    }

    private static string Of(Snapshot snapshot, Decision decision) => PolicyEvidence.Of(snapshot, Governance.Undeclared, decision, [], shadow: null);

    private static Snapshot Some(string revision) => new()
    {
        Version = 1,
        Revision = revision,
        Registry = new Registry([], []),
        Tenants = FrozenDictionary<string, Tenant>.Empty,
        Keys = KeyTable.Empty,
        Peppers = [],
    };
}
