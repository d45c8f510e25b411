using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Administration.Configuration.Settings;

/// <summary>What is registered beside the file: in the store's tables, by the command line or by a control plane.</summary>
/// <param name="Feed">The control plane that is asked; null when the command line alone registers.</param>
public sealed record RegistrySettings(RegistryFeedSettings? Feed)
{
    public static RegistrySettings None { get; } = new((RegistryFeedSettings?)null);
}

/// <summary>How the control plane is asked for what it registers; the contract is <c>docs/api/router-contract.md</c>.</summary>
public sealed record RegistryFeedSettings
{
    /// <summary>What <c>/registry</c> is appended to; without a trailing slash.</summary>
    public required Uri Url { get; init; }

    /// <summary>Sent as a bearer token.</summary>
    public required Secret Credential { get; init; }

    /// <summary>From one answer to the next question.</summary>
    public required TimeSpan Poll { get; init; }

    /// <summary>How long a whole answer may take.</summary>
    public required TimeSpan Timeout { get; init; }

    public required long AnswerLimitBytes { get; init; }
}
