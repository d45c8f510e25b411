using System.Collections.Concurrent;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference.Dispatch;

/// <summary>The address of an operation at an endpoint: chosen from configuration alone, never from the request's path. Parsed once.</summary>
internal sealed class UpstreamUris
{
    // Bounded by the endpoints ever configured times the routes.
    private readonly ConcurrentDictionary<(string Endpoint, Operations Operation, Dialect Dialect), Uri> _uris = new();

    /// <param name="dialect">The backend's.</param>
    public Uri Of(string endpoint, Operations operation, Dialect dialect) =>
        _uris.GetOrAdd((endpoint, operation, dialect), static key => new Uri($"{key.Endpoint.TrimEnd('/')}/{PathOf(key.Operation, key.Dialect)}"));

    // A response that is converted is a chat over there.
    private static string PathOf(Operations operation, Dialect dialect) =>
        InferenceRoutes.Find(operation == Operations.Responses && dialect != Dialect.Responses ? Operations.Chat : operation, dialect)?.UpstreamPath
        ?? throw new InvalidOperationException($"the dialect {dialect} has no {operation}: such a deployment is no candidate for it");
}
