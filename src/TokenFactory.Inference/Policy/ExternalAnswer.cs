using System.Collections.Frozen;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference.Policy;

/// <summary>What the decision endpoint said of a request, or why nothing can be taken for its answer. It only ever narrows.</summary>
/// <param name="Origin">Of the endpoint.</param>
internal sealed record ExternalAnswer(string Origin, ExternalOutcome Outcome)
{
    public const string Denied = "external_denied";
    public const string Undefined = "external_undefined";

    /// <summary>The endpoint's own name for its decision; null when it gave none.</summary>
    public string? DecisionId { get; init; }

    /// <summary>Reason codes of a denial.</summary>
    public IReadOnlyList<string> Reasons { get; init; } = [];

    /// <summary>The only providers; null is any, and empty is none.</summary>
    public FrozenSet<string>? Providers { get; init; }

    /// <summary>One of them must cover where a deployment runs; null is anywhere, and empty is nowhere.</summary>
    public FrozenSet<string>? Regions { get; init; }

    public FrozenSet<string>? Deployments { get; init; }

    /// <summary>What the backend calls the model.</summary>
    public FrozenSet<string>? Models { get; init; }

    /// <summary>As evidence and metrics have it.</summary>
    public string Word => Outcome switch
    {
        ExternalOutcome.Allowed => "allowed",
        ExternalOutcome.Restricted => "restricted",
        ExternalOutcome.Denied => "denied",
        ExternalOutcome.Undefined => "undefined",
        ExternalOutcome.TimedOut => "timed_out",
        ExternalOutcome.Unreachable => "unreachable",
        ExternalOutcome.BadStatus => "bad_status",
        ExternalOutcome.TooLarge => "too_large",
        ExternalOutcome.Unreadable => "unreadable",
        _ => "busy",
    };

    /// <summary>Why the request may not go on; null when it may.</summary>
    public GatewayError? Refusal => Outcome switch
    {
        ExternalOutcome.Allowed or ExternalOutcome.Restricted => null,
        ExternalOutcome.Denied => GatewayError.PolicyDenied(Reasons),
        ExternalOutcome.Undefined => GatewayError.PolicyDenied([Undefined]),
        _ => GatewayError.PolicyUnavailable,
    };

    /// <summary>The reason code that leaves a deployment out; null when it may see the data.</summary>
    public string? ReasonAgainst(Deployment deployment, string askedModel) => true switch
    {
        _ when Providers?.Contains(deployment.Provider.Name) == false => "external_provider",
        _ when Deployments?.Contains(deployment.Name) == false => "external_deployment",
        _ when Models?.Contains(deployment.UpstreamModel ?? askedModel) == false => "external_model",
        _ when Regions?.Any(region => Region.Covers(region, deployment.EffectiveRegion)) == false => "external_region",
        _ => null,
    };
}

internal enum ExternalOutcome
{
    Allowed,
    Restricted,
    Denied,

    /// <summary>The endpoint has no decision for this request: no yes.</summary>
    Undefined,
    TimedOut,
    Unreachable,
    BadStatus,
    TooLarge,
    Unreadable,

    /// <summary>As many questions as may be were under way: it was not asked.</summary>
    Busy,
}
