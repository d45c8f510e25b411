using TokenFactory.Inference.Access;
using TokenFactory.Inference.Conversations;
using TokenFactory.Inference.Intake;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Routes;

namespace TokenFactory.Inference.Guard;

/// <summary>What a key may ask, in which order of checks, of whatever wants to know: the path, or an explanation.</summary>
internal sealed class GuardRules(GuardOptions options)
{
    /// <summary>The model's route, with the deployments that the key's tenant can reach and no others, or why the key may not have it.</summary>
    public (ModelRoute? Route, GatewayError? Error) Judge(Snapshot snapshot, Caller caller, Ask ask)
    {
        var scope = Scopes.Of(ask.Operation);
        if (!Scopes.Grants(caller.Key.Scopes, scope))
        {
            return (null, GatewayError.MissingScope(scope));
        }

        if (snapshot.Registry.ModelsOf(caller.Tenant).Find(ask.Model) is not { } route)
        {
            return (null, GatewayError.ModelNotFound(ask.Model));
        }

        if (!caller.MayUse(ask.Model))
        {
            return (null, GatewayError.ModelNotAllowed(ask.Model));
        }

        return TooLong(ask, caller.Tier, route) is { } tooLong ? (null, tooLong) : (route, null);
    }

    /// <summary>Why the input is more than the caller may send or the model can take, what a backend keeps of its conversation included; null when it fits.</summary>
    public GatewayError? TooLong(Ask ask, Tier tier, ModelRoute route) => InputFits(ask, tier) ?? ContextFits(ask, route);

    /// <summary>The conversation that a request goes on with, or why it cannot.</summary>
    public static (Conversation? Conversation, GatewayError? Error) Continue(Snapshot snapshot, Caller caller, ModelRoute route, string previous)
    {
        if (!route.Targets.Any(static target => target.Deployment.Operations.HasFlag(Operations.Responses)))
        {
            return (null, GatewayError.Unsupported("previous_response_id", "'previous_response_id': nobody keeps the conversations of this model. Send the conversation's items in 'input' instead."));
        }

        return ConversationIds.Find(snapshot, caller.Tenant.Name, previous, route) is not { } found ? (null, GatewayError.PreviousResponseNotFound)
            : route.Targets.Any(target => target.Deployment.Name == found.Deployment) ? (found, null)
            : (null, GatewayError.ConversationElsewhere(route.Pattern.ToString()));
    }

    private GatewayError? InputFits(Ask ask, Tier tier)
    {
        var limit = Least(tier.MaxInputTokens, options.MaxInputTokens);
        return limit is { } most && Exceeds(ask, most)
            ? GatewayError.ContextExceeded(ask.InputParam, most, ask.InputBound)
            : null;
    }

    /// <summary>Refuses what no deployment of the model could hold; which of them can is Routing's question.</summary>
    private static GatewayError? ContextFits(Ask ask, ModelRoute route)
    {
        long largest = 0;
        foreach (var target in route.Targets)
        {
            if (target.Deployment.MaxContext is not { } context)
            {
                return null;
            }

            largest = Math.Max(largest, context);
        }

        var output = ask.MaxOutputTokens ?? 1;
        return Exceeds(ask, largest - output) ? GatewayError.ContextExceeded(ask.InputParam, largest, ask.InputBound + output) : null;
    }

    // Tokens never exceed bytes: an input far below the bound needs no tokenizer.
    private static bool Exceeds(Ask ask, long limitTokens) =>
        ask.InputBound + Kept(ask) > limitTokens && ask.CountInput() + Kept(ask) > limitTokens;

    // What a backend keeps of the conversation goes in again with each turn.
    private static long Kept(Ask ask) => ask.Conversation?.Tokens ?? 0;

    private static long? Least(long? left, long? right) => left is null || right < left ? right ?? left : left;
}
