using System.Globalization;
using System.Text;
using TokenFactory.Storage.Outbox;
using TokenFactory.Storage.Relay;

namespace TokenFactory.Storage.Tests.Relay;

/// <summary>An event as its consumer has it.</summary>
internal sealed record Taken(Guid Id, string Body);

/// <summary>A sink with the real thing behind it, and the consumer's view of that thing.</summary>
internal abstract class SinkUnderTest : IAsyncDisposable
{
    /// <summary>An event that the thing behind the sink refuses for good; null where it takes everything.</summary>
    public virtual OutboxMessage? Poison => null;

    /// <summary>Whether a relay that runs goes on through the outage; then only one that starts in it notices.</summary>
    public virtual bool BreaksUnnoticed => false;

    /// <summary>A new sink, not opened. Whoever makes it ends it, if it can be ended.</summary>
    public abstract ISink New(TimeSpan? timeout = null);

    /// <summary>Everything ever taken, in the consumer's order, what came twice twice.</summary>
    public abstract Task<IReadOnlyList<Taken>> TakenAsync();

    /// <summary>Makes deliveries fail; what was taken stays taken.</summary>
    public abstract Task BreakAsync();

    public abstract Task MendAsync();

    public abstract ValueTask DisposeAsync();

    public static OutboxMessage[] Some(int count, int padding = 300) => [.. Enumerable.Range(0, count).Select(_ => One(padding))];

    public static OutboxMessage One(int padding, string type = "tokenfactory.usage.v1", string note = "")
    {
        var id = Ids.New(TimeProvider.System);
        var body = string.Create(CultureInfo.InvariantCulture,
            $$$"""{"specversion":"1.0","id":"{{{id}}}","type":"{{{type}}}","source":"/gateways/test","subject":"größe","data":{"cost":0.10,"note":"{{{note}}}","pad":"{{{new string('x', padding)}}}"}}""");
        return new OutboxMessage(0, id, type, Encoding.UTF8.GetBytes(body), TimeProvider.System.GetUtcNow());
    }
}
