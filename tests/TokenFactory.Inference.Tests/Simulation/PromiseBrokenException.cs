namespace TokenFactory.Inference.Tests.Simulation;

internal sealed class PromiseBrokenException(string promise) : Exception($"It does not hold that {promise}.");
