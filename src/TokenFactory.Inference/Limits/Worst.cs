using TokenFactory.Inference.Intake;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Inference.Limits;

/// <summary>The worst a request can cost: input counted or bounded, output by what was asked, else by what the model can write.</summary>
internal static class Worst
{
    /// <summary>What is held for an output that neither the caller nor the registry bounds.</summary>
    public const long UnboundedOutputTokens = 4096;

    public static Demand Of(Exchange exchange, IReadOnlyList<Bucket> buckets, TimeSpan lease)
    {
        var ask = exchange.Ask;
        var input = ask.InputBound;
        var output = OutputTokens(ask, exchange.Route);
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

    private static long OutputTokens(Ask ask, ModelRoute route)
    {
        if (ask.Operation == Operations.Embeddings)
        {
            return 0;
        }

        long most = 0;
        foreach (var target in route.Targets)
        {
            var asked = ask.MaxOutputTokens ?? long.MaxValue;
            var possible = Math.Min(asked, target.Deployment.MaxOutput ?? long.MaxValue);
            most = Math.Max(most, possible == long.MaxValue ? UnboundedOutputTokens : possible);
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
