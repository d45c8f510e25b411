using TokenFactory.Inference.Access;
using TokenFactory.Inference.Conversations;
using TokenFactory.Inference.Intake;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Routes;

namespace TokenFactory.Inference.Stored;

/// <summary>What a caller wants of a response that a backend keeps: where that is, and what the backend calls it.</summary>
/// <param name="Route">By which the caller may ask the keeper, and with nobody else in it: its name or pattern stands in a model's place.</param>
/// <param name="Query">Of the request, as it goes on; empty or with its question mark.</param>
internal sealed record StoredAsk(StoredKind Kind, string ResponseId, Conversation Kept, Deployment Keeper, ModelRoute Route, Caller Caller, Snapshot Snapshot, string Query)
{
    public string Model => Route.Pattern.ToString();

    public string UpstreamPath => $"responses/{Uri.EscapeDataString(Kept.BackendId)}{Kind.Tail}{Query}";

    /// <summary>
    /// Null where there is no such response for this caller: the id is another's or none, its keeper is gone, or the key may use no model that
    /// the keeper serves. Nobody can tell which.
    /// </summary>
    public static StoredAsk? Find(StoredKind kind, Caller caller, Snapshot snapshot, string id, string query)
    {
        if (ConversationIds.Find(snapshot, caller.Tenant.Name, id) is not { } kept
            || snapshot.Registry.Deployments.GetValueOrDefault(kept.Deployment) is not { } keeper
            || !keeper.Provider.IsFor(caller.Tenant.Name)
            || !keeper.Operations.HasFlag(Operations.Responses))
        {
            return null;
        }

        var route = snapshot.Registry.ModelsOf(caller.Tenant).ServedBy(keeper.Name).FirstOrDefault(route => caller.MayUseSome(route.Pattern));
        return route is null ? null : new StoredAsk(kind, id, kept, keeper, route with { Targets = [.. route.Targets.Where(target => target.Deployment == keeper)] }, caller, snapshot, query);
    }

    /// <summary>As the stops of the path know a request: one without a prompt.</summary>
    public Exchange ToExchange(Guid requestId, TimeProvider clock) => new(requestId, Operations.Responses, Snapshot, clock, Dialect.Responses)
    {
        Ask = Ask.Imagined(Operations.Responses, Model, inputTokens: 0, maxOutputTokens: 0, Governance.Undeclared),
        Caller = Caller,
        Route = Route,
    };
}
