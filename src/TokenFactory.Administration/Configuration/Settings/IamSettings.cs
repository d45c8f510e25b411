using TokenFactory.Inference.ReadModel.Keys;

namespace TokenFactory.Administration.Configuration.Settings;

/// <summary>Where keys come from, and how old what we know of them may be.</summary>
public sealed record IamSettings
{
    /// <summary>Past this age the read model is stale and protected calls are refused with 503.</summary>
    public required TimeSpan MaxStaleness { get; init; }

    /// <summary>As configured, the one new keys are digested under first; empty uses the file <c>pepper</c> in the data directory.</summary>
    public required IReadOnlyList<Pepper> Peppers { get; init; }

    /// <summary>The platform whose read model is the only source of keys; null keeps keys here.</summary>
    public PlatformSettings? Platform { get; init; }
}
