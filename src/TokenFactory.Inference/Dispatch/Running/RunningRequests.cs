using System.Collections.Concurrent;

namespace TokenFactory.Inference.Dispatch.Running;

/// <summary>What runs in this process, from admission to settlement: as many as were admitted, and no more.</summary>
public sealed class RunningRequests
{
    private readonly ConcurrentDictionary<Guid, Exchange> _running = new();

    internal bool IsEmpty => _running.IsEmpty;

    /// <summary>In no order; who comes or goes meanwhile may be in it or not.</summary>
    internal IEnumerable<Exchange> All => _running.Select(static one => one.Value);

    /// <summary>Stops it: its backend's connection is closed, its client is told, and what was delivered is settled.</summary>
    /// <returns>False when it does not run here.</returns>
    public bool Cancel(Guid requestId)
    {
        if (!_running.TryGetValue(requestId, out var exchange))
        {
            return false;
        }

        exchange.Running.Cancel();
        return true;
    }

    internal void Enter(Exchange exchange) => _running[exchange.RequestId] = exchange;

    internal void Leave(Exchange exchange) => _running.TryRemove(exchange.RequestId, out _);
}
