using TokenFactory.Inference.Intake;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Routes;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Inference.Limits;

/// <summary>The worst a request can cost: input counted or bounded, output by what was asked, else by what the model can write, else by what it usually writes.</summary>
internal static class Worst
{
    public static Demand Of(Exchange exchange, IReadOnlyList<Bucket> buckets, LearntOutputs learnt, TimeSpan lease)
    {
        var ask = exchange.Ask;
        var input = ask.InputBound + (ask.Conversation?.Tokens ?? 0);
        var output = OutputTokens(ask, exchange.Route, learnt);
        var nanoUsd = 0L;
        foreach (var bucket in buckets)
        {
            if (bucket.Dimension == Dimension.NanoUsdPerMonth)
            {
                nanoUsd = NanoUsd(exchange.Route, new TokenUsage(input, 0, 0, output, 0));
                break;
            }
        }

        return new Demand(exchange.RequestId, exchange.Caller.Tenant.Name, buckets, input + output, nanoUsd, lease);
    }

    private static long OutputTokens(Ask ask, ModelRoute route, LearntOutputs learnt)
    {
        if (!ask.Operation.WritesText)
        {
            return 0;
        }

        long most = 0;
        foreach (var target in route.Targets)
        {
            var asked = ask.MaxOutputTokens ?? long.MaxValue;
            var possible = Math.Min(asked, target.Deployment.MaxOutput ?? long.MaxValue);
            most = Math.Max(most, possible == long.MaxValue ? learnt.Expect(target.Deployment.Name) : possible);
        }

        return most * ask.Choices;
    }

    // Whichever candidate serves it, the dearest of them is held.
    private static long NanoUsd(ModelRoute route, in TokenUsage worst)
    {
        long most = 0;
        foreach (var target in route.Targets)
        {
            most = Math.Max(most, target.Deployment.Price.CostNanoUsd(worst));
        }

        return most;
    }
}
