using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Routes;

namespace TokenFactory.Inference.Access;

/// <summary>Who calls, proven by a key of the pinned snapshot.</summary>
public sealed record Caller(ApiKey Key)
{
    public Tenant Tenant => Key.Tenant;

    public Project Project => Key.Project;

    public Tier Tier => Key.Tenant.Tier ?? Tier.None;

    /// <summary>Every allow-list above the key must allow the model: lists narrow, none widens.</summary>
    public bool MayUse(string model) =>
        Key.Models.Allows(model) && Project.Models.Allows(model) && Tier.Models.Allows(model);

    /// <summary>Whether each of those lists allows a model that the pattern matches.</summary>
    public bool MayUseSome(ModelPattern pattern) =>
        Key.Models.AllowsSome(pattern) && Project.Models.AllowsSome(pattern) && Tier.Models.AllowsSome(pattern);
}
