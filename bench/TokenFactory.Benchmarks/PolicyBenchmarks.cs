using System.Collections.Frozen;
using BenchmarkDotNet.Attributes;
using TokenFactory.Inference.Access;
using TokenFactory.Inference.Intake;
using TokenFactory.Inference.Policy;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Keys;
using TokenFactory.Inference.ReadModel.Policies;
using TokenFactory.Inference.ReadModel.Routes;
using TokenFactory.Inference.Routing;

namespace TokenFactory.Benchmarks;

/// <summary>
/// What policy and routing cost a request: 50 rules, of which two match, over a model of that many deployments in a registry of 200,
/// judged, written as evidence and planned. The spine is the same with no rules and one deployment.
/// </summary>
[MemoryDiagnoser]
public class PolicyBenchmarks
{
    private const int Rules = 50;
    private const int Registered = 200;

    /// <summary>Deployments of the model that is asked for.</summary>
    [Params(1, 4, 200)]
    public int Targets { get; set; }

    /// <summary>Whether the 50 rules are in force.</summary>
    [Params(false, true)]
    public bool IsRuled { get; set; }

    private readonly Planner _planner = new(new Random(1));
    private Snapshot _snapshot = null!;
    private Caller _caller = null!;
    private Ask _ask = null!;

    [GlobalSetup]
    public void Prepare()
    {
        Provider[] providers = [.. Enumerable.Range(0, 20).Select(number => new Provider($"p{number}", ProviderKind.OpenAi, number % 2 == 0 ? "eu-west-1" : "us-east-1", null))];
        Deployment[] deployments = [.. Enumerable.Range(0, Registered).Select(number => new Deployment { Name = $"d{number}", Provider = providers[number % 20], Endpoints = [] })];
        var route = new ModelRoute(ModelPattern.Parse("asked"), [.. deployments.Take(Targets).Select(deployment => new RouteTarget(deployment, 0, 1))], LimitSet.None);
        _snapshot = new Snapshot
        {
            Version = 1,
            Revision = "bench",
            Registry = new Registry(deployments, [route]),
            Policy = IsRuled ? Bundle() : PolicyBundle.None,
            Tenants = FrozenDictionary<string, Tenant>.Empty,
            Peppers = [],
            Keys = KeyTable.Of([]),
        };
        _caller = new Caller(new ApiKey
        {
            Id = "k",
            Name = "k",
            Tenant = new Tenant("acme"),
            Project = new Project("p", null, ModelAllowList.All, LimitSet.None),
            Scopes = FrozenSet.Create(Scopes.Chat),
            Models = ModelAllowList.All,
            Limits = LimitSet.None,
        });
        _ask = Ask.Imagined(
            Operations.Chat, "asked", 100, 100,
            IsRuled ? new Governance { UseCase = "support", Environment = "prod", Classification = "internal" } : Governance.Undeclared);
    }

    [Benchmark]
    public object Judge_and_plan()
    {
        var route = _snapshot.Registry.ModelsOf(_caller.Tenant).Find(_ask.Model)!;
        var (decision, _) = PolicyRules.Judge(_snapshot.Policy, _caller, _ask, route, Guid.Empty);
        var plan = _planner.Plan(route, _ask, decision!);
        return (PolicyEvidence.Of(_snapshot, _ask.Governance, decision, plan.Exclusions, null), plan);
    }

    private static PolicyBundle Bundle() => new()
    {
        Version = "bench",
        Rules =
        [
            .. Enumerable.Range(0, Rules).Select(number => new PolicyRule
            {
                Id = $"rule-{number}",
                When = new RuleCondition
                {
                    AnyOf = new Dictionary<PolicyAttribute, FrozenSet<string>>
                    {
                        // The last two match, so that every rule is looked at to its end.
                        [PolicyAttribute.Environment] = FrozenSet.Create("prod"),
                        [PolicyAttribute.Classification] = FrozenSet.Create(number < Rules - 2 ? $"class-{number}" : "internal"),
                    }.ToFrozenDictionary(),
                },
                Restrict = new Restriction { Rule = $"rule-{number}", Regions = ["eu"] },
            }),
        ],
    };
}
