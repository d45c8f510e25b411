using StackExchange.Redis;
using TokenFactory.Storage.Redis;
using TokenFactory.Storage.Relay;
using TokenFactory.TestKit.Servers;

namespace TokenFactory.Storage.Tests.Relay;

/// <summary>A stream in a real Redis that keeps what it acknowledged.</summary>
internal sealed class RedisUnderTest(RedisServer server) : SinkUnderTest, IFreezable
{
    public const string Stream = "usage";

    public RedisServer Server => server;

    public static async Task<RedisUnderTest> StartAsync(string? password = null) => new(await RedisServer.StartAsync(password, keeps: true));

    public override ISink New(TimeSpan? timeout = null) => New(server.Url, timeout);

    public static RedisStreamSink New(string url, TimeSpan? timeout = null, long? maxLength = null) => new(new SinkOptions
    {
        Name = "stream",
        Kind = SinkKind.RedisStream,
        Redis = RedisConnection.Parse(url).Connection,
        Stream = Stream,
        MaxLength = maxLength,
        BatchSize = 32,
        Timeout = timeout ?? TimeSpan.FromSeconds(10),
    });

    public override async Task<IReadOnlyList<Taken>> TakenAsync() =>
        [.. (await EntriesAsync()).Select(fields => new Taken(Guid.Parse(fields["id"]), fields["event"]))];

    /// <summary>The fields of every entry, in the stream's order.</summary>
    public async Task<IReadOnlyList<IReadOnlyDictionary<string, string>>> EntriesAsync()
    {
        using var connection = await ConnectionMultiplexer.ConnectAsync(RedisConnection.Parse(server.Url).Connection!.ToOptions(TimeSpan.FromSeconds(20)));
        var entries = (RedisResult[])await connection.GetDatabase().ExecuteAsync("XRANGE", Stream, "-", "+");
        return [.. entries.Select(entry => ((RedisResult[])entry)[1]).Select(Fields)];
    }

    public override Task BreakAsync() => server.KillAsync();

    public override Task MendAsync() => server.StartAgainAsync();

    public void Freeze() => server.Freeze();

    public void Thaw() => server.Thaw();

    public override ValueTask DisposeAsync() => server.DisposeAsync();

    private static Dictionary<string, string> Fields(RedisResult fields)
    {
        var words = (string[])fields;
        return words.Chunk(2).ToDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal);
    }
}
