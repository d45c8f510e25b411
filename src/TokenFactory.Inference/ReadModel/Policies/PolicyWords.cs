namespace TokenFactory.Inference.ReadModel.Policies;

/// <summary>The attributes as bundles, errors and metadata write them.</summary>
public static class PolicyWords
{
    /// <summary>What evidence says of a shadow bundle that would have changed nothing.</summary>
    public const string Agreed = "agreed";

    public static string Of(PolicyAttribute attribute) => attribute switch
    {
        PolicyAttribute.Tenant => "tenant",
        PolicyAttribute.Project => "project",
        PolicyAttribute.Tier => "tier",
        PolicyAttribute.Environment => "environment",
        PolicyAttribute.UseCase => "use_case",
        PolicyAttribute.UserRole => "user_role",
        PolicyAttribute.Region => "region",
        PolicyAttribute.Classification => "classification",
        PolicyAttribute.SafetyProfile => "safety_profile",
        PolicyAttribute.Model => "model",
        PolicyAttribute.Control => "control",
        _ => throw new ArgumentOutOfRangeException(nameof(attribute), attribute, "no such attribute"),
    };
}
