namespace TokenFactory.Inference.Dispatch.Connecting;

/// <summary>An endpoint's name leads to an address that its provider may not be at. Without the address: it is for the operator's log alone.</summary>
internal sealed class AddressNotAllowedException(string range) : IOException($"the endpoint is at an address that may not be connected to: {range}");
