namespace TokenFactory.Administration.Configuration.Settings;

/// <param name="LifecycleEvents">Whether sinks hear of a request before its settlement too: when it is admitted, and when somebody asks that it be stopped.</param>
public sealed record LedgerSettings(bool LifecycleEvents);
