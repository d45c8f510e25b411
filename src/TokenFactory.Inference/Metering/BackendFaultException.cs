namespace TokenFactory.Inference.Metering;

/// <summary>Stops the copying of an answer that turned out to be a failure; what it was is at <see cref="Failure"/>.</summary>
internal sealed class BackendFaultException(Failure failure) : IOException("the backend's answer is a failure")
{
    public Failure Failure { get; } = failure;
}
