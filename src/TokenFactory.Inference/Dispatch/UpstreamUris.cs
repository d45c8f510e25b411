using System.Collections.Concurrent;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference.Dispatch;

/// <summary>The address of an operation at an endpoint: chosen from configuration alone, never from the request's path. Parsed once.</summary>
internal sealed class UpstreamUris
{
    // Bounded by the endpoints ever configured times the operations.
    private readonly ConcurrentDictionary<(string Endpoint, Operations Operation), Uri> _uris = new();

    public Uri Of(string endpoint, Operations operation) =>
        _uris.GetOrAdd((endpoint, operation), static key => new Uri($"{key.Endpoint.TrimEnd('/')}/{InferenceRoutes.Of(key.Operation).UpstreamPath}"));
}
