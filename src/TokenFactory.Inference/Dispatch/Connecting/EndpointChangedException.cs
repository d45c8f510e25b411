namespace TokenFactory.Inference.Dispatch.Connecting;

/// <summary>
/// A request was about to be sent to an address that is none of its deployment's endpoints: the configuration changed between its start and
/// now, and under the same name there is another server. Neither the prompt nor the credential was meant for that one.
/// </summary>
internal sealed class EndpointChangedException(string deployment) : InvalidOperationException($"the endpoints of {deployment} were changed while a request was on its way");
