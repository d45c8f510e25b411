namespace TokenFactory.Storage.Relay;

/// <summary>The sink cannot take anything now, or nobody knows whether it did; the message says what an operator can do, and no secret.</summary>
internal sealed class SinkUnavailableException(string message, Exception? cause = null) : Exception(message, cause);
