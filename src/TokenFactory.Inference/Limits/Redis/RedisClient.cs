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
            var refused = TellsOfPassword(failure.ToString()) || (connection is not null && await RefusesPasswordAsync(connection, options.ConnectWithin, clock));
            connection?.Dispose();
            throw new LimiterUnavailableException(
                refused
                    ? $"Redis at {options.Connection} refuses the password of limiter.connection."
                    : $"Redis at {options.Connection} does not answer. Start it first, or check limiter.connection.",
                failure);
        }
    }

    /// <summary>A slow machine may run out of patience before the server's refusal is read: the client goes on trying, and its next try tells.</summary>
    private static async Task<bool> RefusesPasswordAsync(ConnectionMultiplexer connection, TimeSpan within, TimeProvider clock)
    {
        var next = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        connection.ConnectionFailed += (_, failed) =>
            next.TrySetResult(failed.FailureType == ConnectionFailureType.AuthenticationFailure || TellsOfPassword(failed.Exception?.ToString() ?? ""));
        await Task.WhenAny(next.Task, Task.Delay(within, clock));
        return next.Task.IsCompletedSuccessfully && next.Task.Result;
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

    private static bool TellsOfPassword(string text) => HasAny(
        text, "NOAUTH", "WRONGPASS", "invalid password", "without any password configured", "AuthenticationFailure", "authentication failure", "invalid username-password");

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
