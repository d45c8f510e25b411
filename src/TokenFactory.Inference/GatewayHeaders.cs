namespace TokenFactory.Inference;

/// <summary>The gateway's own headers, of requests and answers.</summary>
internal static class GatewayHeaders
{
    public const string RequestId = "x-request-id";

    /// <summary>Where Anthropic's clients look for the request's id.</summary>
    public const string AnthropicRequestId = "request-id";
    public const string AnthropicVersion = "anthropic-version";
    public const string AnthropicBeta = "anthropic-beta";
    public const string Provider = "x-tf-provider";
    public const string Region = "x-tf-region";
    public const string Model = "x-tf-model";
    public const string ModelVersion = "x-tf-model-version";
    public const string PolicyDecision = "x-tf-policy-decision";

    /// <summary>Only on an answer that no model gave: <c>manual</c>.</summary>
    public const string Degraded = "x-tf-degraded";
    public const string Attempts = "x-tf-attempts";
    public const string UseCase = "x-tf-use-case";
    public const string Tier = "x-tf-tier";
    public const string Environment = "x-tf-environment";
    public const string UserRole = "x-tf-user-role";
    public const string Classification = "x-tf-classification";
    public const string SafetyProfile = "x-tf-safety-profile";
    public const string Controls = "x-tf-controls";
}
