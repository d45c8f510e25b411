using System.Collections.Frozen;
using TokenFactory.Storage.Outbox;

namespace TokenFactory.Storage.Relay;

/// <summary>A sink that wants some types of events: the others are passed by, as though it had taken them, and its cursor with them.</summary>
internal sealed class SelectedSink(ISink inner, IReadOnlyCollection<string> types) : ISink, IDisposable
{
    private readonly FrozenSet<string> _types = types.ToFrozenSet(StringComparer.Ordinal);

    public string Name => inner.Name;

    public int MaxBatch => inner.MaxBatch;

    public Task OpenAsync(CancellationToken cancel) => inner.OpenAsync(cancel);

    public Task DeliverAsync(IReadOnlyList<OutboxMessage> batch, CancellationToken cancel)
    {
        var wanted = batch.Where(message => _types.Contains(message.Type)).ToArray();
        return wanted.Length == 0 ? Task.CompletedTask : inner.DeliverAsync(wanted, cancel);
    }

    public void Dispose() => (inner as IDisposable)?.Dispose();
}
