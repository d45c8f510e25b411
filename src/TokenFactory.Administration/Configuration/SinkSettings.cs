using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Administration.Configuration;

/// <summary>Where usage events are delivered. The name is its cursor's: renaming a sink delivers everything again.</summary>
public abstract record SinkSettings(string Name);

/// <summary>One JSON event per line, appended.</summary>
/// <param name="Path">Relative to the data directory.</param>
public sealed record FileSinkSettings(string Name, string Path) : SinkSettings(Name);

/// <summary>CloudEvents 1.0 over HTTP, in batches.</summary>
/// <param name="Batch">Events per request, at most.</param>
/// <param name="Credential">Sent as <c>Authorization: Bearer</c>; null sends none.</param>
public sealed record CloudEventsSinkSettings(string Name, Uri Url, int Batch, Secret? Credential) : SinkSettings(Name);
