namespace TokenFactory.Storage.Audit;

/// <summary>What an audit record is about.</summary>
public static class AuditKind
{
    /// <summary>A settled request: where it ran, under which rules, what it used.</summary>
    public const string Request = "request";

    /// <summary>What became known of a request after it was settled.</summary>
    public const string Adjustment = "adjustment";

    /// <summary>A request that the policy did not let through.</summary>
    public const string Denial = "denial";
}
