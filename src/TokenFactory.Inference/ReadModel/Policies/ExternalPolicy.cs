using System.Security.Cryptography.X509Certificates;

namespace TokenFactory.Inference.ReadModel.Policies;

/// <summary>A decision endpoint that is asked about every request the rules let through, and can only narrow what they left.</summary>
public sealed record ExternalPolicy
{
    /// <summary>Where questions are posted to. Holds no credential.</summary>
    public required Uri Url { get; init; }

    /// <summary>From the question to the last byte of its answer.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Questions under way at most; what comes beside them is refused.</summary>
    public int MaxInFlight { get; init; } = 256;

    /// <summary>Sent as a bearer token; null sends none.</summary>
    public Secret? Credential { get; init; }

    public IReadOnlyList<KeyValuePair<string, Secret>> Headers { get; init; } = [];

    /// <summary>Who may have signed the endpoint's certificate, in place of whom the system trusts; null trusts those.</summary>
    public X509Certificate2Collection? Authorities { get; init; }

    /// <summary>What evidence calls it: scheme, host and port, and no path.</summary>
    public string Origin => field ??= Url.GetLeftPart(UriPartial.Authority);
}
