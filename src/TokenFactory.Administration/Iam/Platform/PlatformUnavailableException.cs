namespace TokenFactory.Administration.Iam.Platform;

/// <summary>The gateway cannot start, because the platform says nothing about its keys. The message is for the operator.</summary>
public sealed class PlatformUnavailableException(string message) : Exception(message);
