using TokenFactory.Inference.Intake;
using TokenFactory.Inference.Policy;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference.Routing;

/// <summary>Turns a route into a plan: hard filters first, then priority, and within one priority a weighted draw without replacement.</summary>
internal sealed class Planner(Random random)
{
    public Plan Plan(ModelRoute route, Ask ask, Decision decision)
    {
        var fitting = new List<RouteTarget>(route.Targets.Count);
        List<Exclusion> exclusions = [];
        foreach (var target in route.Targets)
        {
            if (ReasonAgainst(target.Deployment, ask, decision) is { } reason)
            {
                exclusions.Add(new Exclusion(target.Deployment.Name, reason));
            }
            else
            {
                fitting.Add(target);
            }
        }

        return new Plan(Order(fitting), exclusions);
    }

    private static string? ReasonAgainst(Deployment deployment, Ask ask, Decision decision)
    {
        if (decision.ReasonAgainst(deployment) is { } policy)
        {
            return policy;
        }

        if (!deployment.Operations.HasFlag(ask.Operation))
        {
            return "operation";
        }

        var output = ask.MaxOutputTokens ?? 1;
        return deployment.MaxContext is { } context && ask.InputBound + output > context && ask.CountInput() + output > context
            ? "context"
            : null;
    }

    private Deployment[] Order(List<RouteTarget> targets)
    {
        var ordered = new Deployment[targets.Count];
        for (var i = 0; i < ordered.Length; i++)
        {
            var next = targets.Count == 1 ? 0 : Draw(targets);
            ordered[i] = targets[next].Deployment;
            targets.RemoveAt(next);
        }

        return ordered;
    }

    private int Draw(List<RouteTarget> targets)
    {
        var first = int.MaxValue;
        foreach (var target in targets)
        {
            first = Math.Min(first, target.Priority);
        }

        long weights = 0;
        foreach (var target in targets)
        {
            weights += target.Priority == first ? target.Weight : 0;
        }

        var drawn = random.NextInt64(weights);
        for (var i = 0; i < targets.Count; i++)
        {
            if (targets[i].Priority == first && (drawn -= targets[i].Weight) < 0)
            {
                return i;
            }
        }

        throw new InvalidOperationException("weights are at least 1, so a draw below their sum hits one of them");
    }
}
