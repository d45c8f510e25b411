using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Administration.Configuration.Settings;

/// <summary>How the platform's read model is asked for; the contract is <c>docs/api/iam-read-model.md</c>.</summary>
public sealed record PlatformSettings
{
    /// <summary>What <c>/read-model</c> is appended to; without a trailing slash.</summary>
    public required Uri Url { get; init; }

    /// <summary>Sent as a bearer token.</summary>
    public required Secret Credential { get; init; }

    /// <summary>From one answer to the next question: how late a revocation may be seen while all is well.</summary>
    public required TimeSpan Poll { get; init; }

    /// <summary>How long the source may be silent, before its answer and inside it.</summary>
    public required TimeSpan Timeout { get; init; }

    public required long AnswerLimitBytes { get; init; }
}
