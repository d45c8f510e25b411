namespace TokenFactory.Gateway.Hosting;

/// <summary>Why the gateway does not start, in words for the operator. Printed as it is, without a stack (P12).</summary>
internal sealed class StartException(string message) : Exception(message);
