namespace TokenFactory.Storage.Relay;

/// <summary>The sink looked at the batch and refused it for what it is; sending it again unchanged cannot help.</summary>
internal sealed class SinkRejectedException(string message) : Exception(message);
