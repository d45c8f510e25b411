using TokenFactory.Inference.Limits.Redis;
using TokenFactory.Storage.Redis;

namespace TokenFactory.Administration.Configuration.Settings;

public enum LimiterKind
{
    /// <summary>In this process's memory; one replica.</summary>
    Local = 0,

    /// <summary>In a Redis that all replicas share.</summary>
    Redis = 1,
}

/// <summary>Where limits and budgets are counted.</summary>
/// <param name="Connection">Only for <see cref="LimiterKind.Redis"/>, and then never null.</param>
public sealed record LimiterSettings(LimiterKind Kind, RedisConnection? Connection = null, WhenUnavailable WhenUnavailable = WhenUnavailable.Deny);
