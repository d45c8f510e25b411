namespace TokenFactory.Storage.ModelAudit;

/// <summary>What of a deployment changed. The numbers are stored.</summary>
public enum AuditedKind
{
    None = 0,

    /// <summary>From the call to the first byte of a stream, in milliseconds: it came later.</summary>
    TimeToFirstToken = 1,

    /// <summary>Tokens written per second: fewer.</summary>
    TokensPerSecond = 2,

    /// <summary>The share of attempts that failed: more.</summary>
    ErrorRate = 3,

    /// <summary>The share of answers that are a refusal: more.</summary>
    RefusalRate = 4,

    /// <summary>Tokens of an answer that ended by itself: more or fewer.</summary>
    OutputTokens = 5,

    /// <summary>The model that answers say they are from.</summary>
    Model = 6,

    /// <summary>The system fingerprint that answers carry.</summary>
    SystemFingerprint = 7,
}

/// <summary>The words of events, metrics and the command line.</summary>
public static class AuditedKinds
{
    public static IReadOnlyList<AuditedKind> All { get; } = [.. Enum.GetValues<AuditedKind>().Where(static kind => kind != AuditedKind.None)];

    public static string NameOf(AuditedKind kind) => kind switch
    {
        AuditedKind.TimeToFirstToken => "time_to_first_token",
        AuditedKind.TokensPerSecond => "tokens_per_second",
        AuditedKind.ErrorRate => "error_rate",
        AuditedKind.RefusalRate => "refusal_rate",
        AuditedKind.OutputTokens => "output_tokens",
        AuditedKind.Model => "model",
        AuditedKind.SystemFingerprint => "system_fingerprint",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
    };

    /// <summary>Whether it is a name and not a figure.</summary>
    public static bool IsName(AuditedKind kind) => kind is AuditedKind.Model or AuditedKind.SystemFingerprint;
}
