using StackExchange.Redis;

namespace TokenFactory.Inference.Limits.Redis;

/// <summary>One multiplexed connection: commands of this replica are done in the order they are sent.</summary>
internal sealed class RedisClient : IAsyncDisposable
{
    private const int ConnectsWithoutAnswer = 2;
    private readonly ConnectionMultiplexer _connection;
    private readonly IDatabase _database;

    private RedisClient(ConnectionMultiplexer connection)
    {
        _connection = connection;
        _database = connection.GetDatabase();
    }

    /// <summary>Later disconnections heal by themselves; only the first connection must work.</summary>
    /// <exception cref="LimiterUnavailableException">Redis does not answer, or not to us; the message says which and never the password.</exception>
    public static async Task<RedisClient> ConnectAsync(RedisLimiterOptions options, TimeProvider clock, CancellationToken cancel)
    {
        ConnectionMultiplexer? connection = null;
        try
        {
            var within = options.ConnectWithin * ConnectsWithoutAnswer;
            connection = await ConnectionMultiplexer.ConnectAsync(options.Connection.ToOptions(options.ConnectWithin)).WaitAsync(within, clock, cancel);
            await connection.GetDatabase().PingAsync().WaitAsync(options.ConnectWithin, clock, cancel);
            return new RedisClient(connection);
        }
        catch (Exception failure) when (IsOutage(failure) && !cancel.IsCancellationRequested)
        {
            connection?.Dispose();
            throw new LimiterUnavailableException(Explain(options.Connection, failure), failure);
        }
    }

    /// <summary>A server that forgot the script is given it again: it did nothing the first time.</summary>
    public async Task<RedisResult> EvaluateAsync(string script, RedisKey[] keys, RedisValue[] values)
    {
        try
        {
            return await _database.ScriptEvaluateAsync(script, keys, values);
        }
        catch (RedisServerException forgotten) when (forgotten.Message.StartsWith("NOSCRIPT", StringComparison.Ordinal))
        {
            return await _database.ScriptEvaluateAsync(script, keys, values);
        }
    }

    /// <returns>False when the key is there already.</returns>
    public Task<bool> SetIfMissingAsync(RedisKey key, string value, TimeSpan kept) => _database.StringSetAsync(key, value, kept, When.NotExists);

    /// <summary>What the client throws when the server is away, slow, or refuses to work.</summary>
    public static bool IsOutage(Exception failure) =>
        failure is RedisException or RedisCommandException or TimeoutException or ObjectDisposedException or OperationCanceledException;

    public async ValueTask DisposeAsync()
    {
        await _connection.CloseAsync();
        _connection.Dispose();
    }

    private static string Explain(RedisConnection connection, Exception failure)
    {
        var text = failure.ToString();
        return HasAny(text, "NOAUTH", "WRONGPASS", "invalid password", "without any password configured", "AuthenticationFailure", "invalid username-password")
            ? $"Redis at {connection} refuses the password of limiter.connection."
            : $"Redis at {connection} does not answer. Start it first, or check limiter.connection.";
    }

    private static bool HasAny(string text, params ReadOnlySpan<string> signs)
    {
        foreach (var sign in signs)
        {
            if (text.Contains(sign, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }
}
