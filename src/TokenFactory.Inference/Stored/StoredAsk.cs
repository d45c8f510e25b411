using TokenFactory.Inference.Access;
using TokenFactory.Inference.Conversations;
using TokenFactory.Inference.Intake;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference.Stored;

/// <summary>What a caller wants of a response that a backend keeps: where that is, and what the backend calls it.</summary>
/// <param name="Model">The public name or pattern by which the caller may ask the keeper: what the record says in a model's place.</param>
/// <param name="Query">Of the request, as it goes on; empty or with its question mark.</param>
internal sealed record StoredAsk(StoredKind Kind, string ResponseId, Conversation Kept, Deployment Keeper, string Model, Caller Caller, Snapshot Snapshot, string Query)
{
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

        var model = snapshot.Registry.ModelsOf(caller.Tenant).ServedBy(keeper.Name).Select(static route => route.Pattern.ToString()).FirstOrDefault(caller.MayUse);
        return model is null ? null : new StoredAsk(kind, id, kept, keeper, model, caller, snapshot, query);
    }
}
