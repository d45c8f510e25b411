namespace TokenFactory.Administration.Configuration;

public enum LimiterKind
{
    /// <summary>In this process's memory; one replica.</summary>
    Local = 0,
}

/// <summary>Where limits and budgets are counted.</summary>
public sealed record LimiterSettings(LimiterKind Kind);
