using Microsoft.Extensions.Logging;
using StackExchange.Redis;
using TokenFactory.Storage.Redis;

namespace TokenFactory.Inference.Limits.Redis;

/// <summary>
/// One multiplexed connection: commands of this replica are done in the order they are sent. It connects again by itself when it breaks.
/// One that is asked and says nothing for <see cref="Patience"/> may never notice that it is dead: a firewall or an address translator
/// that forgets a connection tells neither end, and the kernel goes on trying for a quarter of an hour. A second one is opened beside
/// it then, and takes its place once it is answered.
/// </summary>
internal sealed partial class RedisClient : IAsyncDisposable
{
    private const int ConnectsWithoutAnswer = 2;

    private readonly RedisLimiterOptions _options;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationToken _stopping;
    private ConnectionMultiplexer _connection;
    private Task _replacing = Task.CompletedTask;

    // When the first command was sent that nothing has been heard since; 0 for none.
    private long _silentSince;
    private int _isReplacing;

    private RedisClient(ConnectionMultiplexer connection, RedisLimiterOptions options, TimeProvider clock, ILogger logger)
    {
        (_connection, _options, _clock, _logger) = (connection, options, clock, logger);
        _stopping = _stop.Token;
    }

    /// <summary>How long a connection may be silent while it is asked, and how long until another one is tried again.</summary>
    public static TimeSpan Patience { get; } = TimeSpan.FromSeconds(5);

    /// <summary>Later disconnections heal by themselves; only the first connection must work.</summary>
    /// <exception cref="LimiterUnavailableException">Redis does not answer, or not to us; the message says which and never the password.</exception>
    public static async Task<RedisClient> ConnectAsync(RedisLimiterOptions options, TimeProvider clock, ILogger logger, CancellationToken cancel) =>
        new(await AnsweredAsync(options, clock, cancel), options, clock, logger);

    /// <summary>A slow machine may run out of patience before the server's refusal is read: the client goes on trying, and its next try tells.</summary>
    private static async Task<bool> RefusesPasswordAsync(ConnectionMultiplexer connection, TimeSpan within, TimeProvider clock, CancellationToken cancel)
    {
        var next = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        connection.ConnectionFailed += (_, failed) =>
            next.TrySetResult(failed.FailureType == ConnectionFailureType.AuthenticationFailure || TellsOfPassword(failed.Exception?.ToString() ?? ""));
        await Task.WhenAny(next.Task, Task.Delay(within, clock, cancel));
        return next.Task.IsCompletedSuccessfully && next.Task.Result;
    }

    /// <summary>A server that forgot the script is given it again: it did nothing the first time.</summary>
    public async Task<RedisResult> EvaluateAsync(string script, RedisKey[] keys, RedisValue[] values)
    {
        var database = Ask();
        try
        {
            var answer = await database.ScriptEvaluateAsync(script, keys, values);
            Heard();
            return answer;
        }
        catch (RedisServerException refused)
        {
            if (!IsOfNoPrimary(refused))
            {
                Heard();
            }

            if (!refused.Message.StartsWith("NOSCRIPT", StringComparison.Ordinal))
            {
                throw;
            }

            return await database.ScriptEvaluateAsync(script, keys, values);
        }
    }

    /// <returns>False when the key is there already.</returns>
    public async Task<bool> SetIfMissingAsync(RedisKey key, string value, TimeSpan kept)
    {
        var isSet = await Ask().StringSetAsync(key, value, kept, When.NotExists);
        Heard();
        return isSet;
    }

    /// <summary>What the client throws when the server is away, slow, or refuses to work.</summary>
    public static bool IsOutage(Exception failure) =>
        failure is RedisException or RedisCommandException or TimeoutException or ObjectDisposedException or OperationCanceledException;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Volatile.Read(ref _replacing);
        await _connection.CloseAsync();
        _connection.Dispose();
        _stop.Dispose();
    }

    /// <summary>A connection that has answered.</summary>
    private static async Task<ConnectionMultiplexer> AnsweredAsync(RedisLimiterOptions options, TimeProvider clock, CancellationToken cancel)
    {
        ConnectionMultiplexer? connection = null;
        try
        {
            connection = await RedisConnection.ConnectAsync(
                options.Connection.ToOptions(options.ConnectWithin), options.ConnectWithin * ConnectsWithoutAnswer, clock, cancel);
            await connection.GetDatabase().PingAsync().WaitAsync(options.ConnectWithin, clock, cancel);
            return connection;
        }
        catch (Exception failure) when (IsOutage(failure) && !cancel.IsCancellationRequested)
        {
            var refused = TellsOfPassword(failure.ToString()) || (connection is not null && await RefusesPasswordAsync(connection, options.ConnectWithin, clock, cancel));
            connection?.Dispose();
            throw new LimiterUnavailableException(
                refused
                    ? $"Redis at {options.Connection} refuses the password of limiter.connection."
                    : $"Redis at {options.Connection} does not answer. Start it first, or check limiter.connection.",
                failure);
        }
        catch
        {
            connection?.Dispose();
            throw;
        }
    }

    /// <summary>Where the next command goes; from now on an answer is awaited.</summary>
    private IDatabase Ask()
    {
        var since = Volatile.Read(ref _silentSince);
        if (since == 0)
        {
            // Not 0, whatever the clock began with.
            Interlocked.CompareExchange(ref _silentSince, _clock.GetTimestamp() | 1, 0);
        }
        else if (_clock.GetElapsedTime(since) > Patience && !_stopping.IsCancellationRequested && Interlocked.Exchange(ref _isReplacing, 1) == 0)
        {
            Volatile.Write(ref _replacing, ReplaceAsync());
        }

        return Volatile.Read(ref _connection).GetDatabase();
    }

    private void Heard()
    {
        if (Volatile.Read(ref _silentSince) != 0)
        {
            Volatile.Write(ref _silentSince, 0);
        }
    }

    private async Task ReplaceAsync()
    {
        await Task.Yield();
        try
        {
            var (silent, answers) = (_connection, await AnsweredAsync(_options, _clock, _stopping));
            var since = Volatile.Read(ref _silentSince);
            var isStillSilent = since != 0 && _clock.GetElapsedTime(since) > Patience;
            if (isStillSilent)
            {
                Volatile.Write(ref _connection, answers);
                Heard();
                Log.Replaced(_logger, _clock.GetElapsedTime(since).TotalSeconds);
            }

            // Without waiting for what it still holds: nobody answers that.
            var unused = isStillSilent ? silent : answers;
            unused.Close(allowCommandsToComplete: false);
            unused.Dispose();
        }
        catch (LimiterUnavailableException)
        {
            // Redis is away, as its callers say. Whoever asks next tries again.
        }
        catch (OperationCanceledException)
        {
            // Told to stop.
        }
        catch (Exception failure)
        {
            // The edge of a task that nobody waits for.
            Log.NotReplaced(_logger, failure);
        }

        await Task.Delay(Patience, _clock, _stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Volatile.Write(ref _isReplacing, 0);
    }

    /// <summary>The connection leads to a server that is the primary no more; a new one may lead to the one that is.</summary>
    private static bool IsOfNoPrimary(RedisServerException refused) =>
        refused.Message.StartsWith("READONLY", StringComparison.Ordinal) || refused.Message.StartsWith("MASTERDOWN", StringComparison.Ordinal);

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

    private static partial class Log
    {
        [LoggerMessage(4017, LogLevel.Warning, "Redis did no work for {Seconds:0} s on a connection that looked alive, and answered on a new one: it was replaced")]
        public static partial void Replaced(ILogger logger, double seconds);

        [LoggerMessage(4018, LogLevel.Error, "The connection to Redis could not be replaced; it is tried again")]
        public static partial void NotReplaced(ILogger logger, Exception cause);
    }
}
