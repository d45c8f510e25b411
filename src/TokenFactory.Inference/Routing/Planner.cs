using TokenFactory.Inference.Intake;
using TokenFactory.Inference.Policy;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Routes;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Inference.Routing;

/// <summary>Turns a route into a plan: hard filters first, then rank, and within one rank a weighted draw without replacement.</summary>
/// <param name="observed">What is known of each deployment's load and speed; null when nothing is.</param>
internal sealed class Planner(Random random, Observations? observed = null)
{
    /// <summary>The reason code of a deployment that an operator took out.</summary>
    public const string Disabled = "disabled";

    // One figure for all candidates of a request that bounds its output itself by nothing: else the length of answers would decide and not their price.
    private const long UsualOutputTokens = 1000;

    // Above any weight, so that dividing by one keeps the difference of a single request.
    private const long LoadScale = 1_000_000;

    public Plan Plan(ModelRoute route, Ask ask, Decision decision)
    {
        var fitting = new List<Candidate>(route.Targets.Count);
        List<Exclusion> exclusions = [];
        var strategy = decision.Tenant.Routing.Strategy ?? route.Strategy;
        foreach (var target in route.Targets)
        {
            if (decision.ExclusionOf(target.Deployment) is { } excluded)
            {
                exclusions.Add(new Exclusion(target.Deployment.Name, excluded.Reason, excluded.Rule));
            }
            else if (ReasonAgainst(target.Deployment, ask, decision) is { } reason)
            {
                exclusions.Add(new Exclusion(target.Deployment.Name, reason));
            }
            else
            {
                fitting.Add(new Candidate(target, RankOf(target, strategy, ask, decision.Tenant.Routing)));
            }
        }

        return new Plan(Order(fitting), exclusions);
    }

    private static string? ReasonAgainst(Deployment deployment, Ask ask, Decision decision)
    {
        if (!deployment.IsEnabled)
        {
            return Disabled;
        }

        // What a backend keeps is kept nowhere else.
        if (ask.Conversation is { } conversation && conversation.Deployment != deployment.Name)
        {
            return "conversation";
        }

        if (!deployment.Serves(ask.Operation))
        {
            return "operation";
        }

        var kept = ask.Conversation?.Tokens ?? 0;
        var written = kept + (ask.MaxOutputTokens ?? 1);
        if (deployment.MaxContext is { } context && ask.InputBound + written > context && ask.CountInput() + written > context)
        {
            return "context";
        }

        // The bound counts bytes as tokens: only what it leaves in doubt is worth counting.
        return decision.Tenant.Routing.MaxNanoUsdPerRequest is { } most && !CostsAtMost(deployment, ask, ask.InputBound + kept, most) && !CostsAtMost(deployment, ask, ask.CountInput() + kept, most)
            ? "request_cost"
            : null;
    }

    /// <summary>What a request costs there if it writes all it may, the whole context if nothing less bounds it; null when nothing does.</summary>
    public static long? WorstCostNanoUsd(Deployment deployment, Ask ask, long input)
    {
        var output = !ask.Operation.WritesText ? 0 : Least(ask.MaxOutputTokens, Least(deployment.MaxOutput, deployment.MaxContext));
        if (output is null && deployment.Price.OutputNanoUsd > 0)
        {
            return null;
        }

        var written = (output ?? 0) * ask.Choices;
        return Math.Max(deployment.Price.CostNanoUsd(new TokenUsage(input, 0, 0, written, 0)), deployment.Price.CostNanoUsd(new TokenUsage(0, 0, input, written, 0)));
    }

    private static bool CostsAtMost(Deployment deployment, Ask ask, long input, long most) => WorstCostNanoUsd(deployment, ask, input) is { } cost && cost <= most;

    private static long? Least(long? left, long? right) => left is null || right < left ? right ?? left : left;

    private static long OutputOf(Ask ask) => !ask.Operation.WritesText ? 0 : (ask.MaxOutputTokens ?? UsualOutputTokens) * ask.Choices;

    private Rank RankOf(RouteTarget target, RoutingStrategy strategy, Ask ask, RoutingPolicy policy)
    {
        var deployment = target.Deployment;
        if (deployment.Provider.Kind == ProviderKind.Manual)
        {
            return Rank.Last;
        }

        var score = strategy switch
        {
            RoutingStrategy.Cheapest => deployment.Price.CostNanoUsd(new TokenUsage(ask.InputEstimate, 0, 0, OutputOf(ask), 0)),
            RoutingStrategy.Quality => -(deployment.Quality ?? int.MinValue + 1L),
            RoutingStrategy.LeastLoaded => (long)((observed?.Of(deployment.Name).Load ?? 0) * LoadScale) / target.Weight,
            RoutingStrategy.Fastest => SpeedOf(observed?.Of(deployment.Name).FirstByte(ask.Stream)),
            _ => 0,
        };
        return new Rank(score, deployment.Provider.Name == policy.PreferredProvider ? 0 : 1, target.Priority);
    }

    /// <summary>In steps of a quarter: who is about as fast shares the load by weight, and one answer does not turn all requests around.</summary>
    private static long SpeedOf(TimeSpan? firstByte) =>
        firstByte is { } time ? 1 + (long)(Math.Log(Math.Max(time.TotalMilliseconds, 1)) / Math.Log(1.25)) : 0;

    private Deployment[] Order(List<Candidate> candidates)
    {
        var ordered = new Deployment[candidates.Count];
        if (ordered.Length == 1)
        {
            ordered[0] = candidates[0].Target.Deployment;
            return ordered;
        }

        var places = new Place[ordered.Length];
        for (var i = 0; i < ordered.Length; i++)
        {
            ordered[i] = candidates[i].Target.Deployment;
            places[i] = new Place(candidates[i].Rank, LotOf(candidates[i].Target.Weight));
        }

        Array.Sort(places, ordered);
        return ordered;
    }

    /// <summary>In the order of these lots candidates are drawn by weight without replacement (Efraimidis and Spirakis, weighted random sampling).</summary>
    private double LotOf(int weight) => -Math.Log(1 - random.NextDouble()) / weight;

    private readonly record struct Candidate(RouteTarget Target, Rank Rank);

    private readonly record struct Place(Rank Rank, double Lot) : IComparable<Place>
    {
        public int CompareTo(Place other) => Rank.CompareTo(other.Rank) is not 0 and var byRank ? byRank : Lot.CompareTo(other.Lot);
    }

    /// <summary>Lower is tried first: the strategy's score, then the tenant's preference, then the route's own priority.</summary>
    private readonly record struct Rank(long Score, int Preference, int Priority) : IComparable<Rank>
    {
        /// <summary>However cheap it is, and whatever its priority: nobody is answered by hand while a model can answer.</summary>
        public static Rank Last { get; } = new(long.MaxValue, int.MaxValue, int.MaxValue);

        public int CompareTo(Rank other) =>
            Score != other.Score ? Score.CompareTo(other.Score)
            : Preference != other.Preference ? Preference.CompareTo(other.Preference)
            : Priority.CompareTo(other.Priority);
    }
}
