namespace TokenFactory.Administration.Configuration.Settings;

/// <param name="MaxInputTokens">For whoever has no tier that says otherwise; null is no bound but the body's.</param>
public sealed record GuardSettings(long? MaxInputTokens);
