namespace TokenFactory.Inference.ReadModel;

/// <summary>Where engines say how loaded they are, in Prometheus' text format.</summary>
/// <param name="Path">Below the endpoint's origin, without a slash before it.</param>
public sealed record EngineMetrics(string Path, TimeSpan Interval);
