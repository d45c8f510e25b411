using StackExchange.Redis;
using TokenFactory.Storage.Outbox;
using TokenFactory.Storage.Redis;

namespace TokenFactory.Storage.Relay;

/// <summary>
/// Appends events to a Redis stream (docs/operations/sinks.md has the fields). A batch is one script call: one round trip, and
/// its entries stand in order, with nothing between them and no later one without the earlier. At least once: a batch whose answer
/// was lost is appended again. The entries' ids are the server's own and not the outbox's places: a replayed dead letter, a restored
/// store or a second writer comes with a smaller place, and "smaller than the newest" would then be read as "already there".
/// Redis judges no event, so nothing it says rejects one.
/// </summary>
internal sealed class RedisStreamSink(SinkOptions options) : ISink, IDisposable
{
    /// <summary>ARGV: the length to keep or 0, then id, type and event of each.</summary>
    private const string Script =
        """
        for i = 2, #ARGV, 3 do
          if ARGV[1] == '0' then
            redis.call('XADD', KEYS[1], '*', 'id', ARGV[i], 'type', ARGV[i + 1], 'event', ARGV[i + 2])
          else
            redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'id', ARGV[i], 'type', ARGV[i + 1], 'event', ARGV[i + 2])
          end
        end
        return (#ARGV - 1) / 3
        """;

    /// <summary>The client may use all of it even where the connection is refused.</summary>
    private static readonly TimeSpan _longestConnect = TimeSpan.FromSeconds(5);

    private ConnectionMultiplexer? _connection;

    public string Name => options.Name;

    public int MaxBatch => options.BatchSize;

    /// <summary>A new connection every time: what an old one still holds cannot mix with what is sent now.</summary>
    public async Task OpenAsync(CancellationToken cancel)
    {
        Close();
        var within = TimeSpan.FromTicks(Math.Min(options.Timeout.Ticks, _longestConnect.Ticks));
        var configuration = options.Redis!.ToOptions(within);

        // A server that is away is told at once; trying again is the relay's.
        (configuration.AbortOnConnectFail, configuration.ConnectRetry) = (true, 0);
        try
        {
            _connection = await RedisConnection.ConnectAsync(configuration, within * 2, TimeProvider.System, cancel);
            await _connection.GetDatabase().PingAsync().WaitAsync(options.Timeout, cancel);
        }
        catch (Exception failure) when (IsOutage(failure) && !cancel.IsCancellationRequested)
        {
            throw Explain(failure);
        }
    }

    public async Task DeliverAsync(IReadOnlyList<OutboxMessage> batch, CancellationToken cancel)
    {
        var connection = _connection ?? throw new InvalidOperationException("The sink was not opened.");
        try
        {
            var answer = await connection.GetDatabase().ScriptEvaluateAsync(Script, [options.Stream], Values(batch)).WaitAsync(options.Timeout, cancel);
            if ((long)answer != batch.Count)
            {
                throw new SinkUnavailableException($"Redis at {options.Redis} appended {(long)answer} of {batch.Count} events.");
            }
        }
        catch (Exception failure) when (IsOutage(failure) && !cancel.IsCancellationRequested)
        {
            throw Explain(failure);
        }
    }

    public void Dispose() => Close();

    private RedisValue[] Values(IReadOnlyList<OutboxMessage> batch)
    {
        var values = new RedisValue[1 + (3 * batch.Count)];
        values[0] = options.MaxLength ?? 0;
        for (var index = 0; index < batch.Count; index++)
        {
            values[(3 * index) + 1] = batch[index].EventId.ToString("D");
            values[(3 * index) + 2] = batch[index].Type;
            values[(3 * index) + 3] = batch[index].Body.ToArray();
        }

        return values;
    }

    private void Close()
    {
        // Without waiting for what is on its way: a frozen server would hold up the next try.
        _connection?.Close(allowCommandsToComplete: false);
        _connection?.Dispose();
        _connection = null;
    }

    private static bool IsOutage(Exception failure) =>
        failure is RedisException or RedisCommandException or TimeoutException or ObjectDisposedException or OperationCanceledException;

    /// <summary>Every one is an outage: it is said of the server, the key or us, and never of an event.</summary>
    private SinkUnavailableException Explain(Exception failure)
    {
        var said = failure.ToString();
        var redis = $"Redis at {options.Redis}";
        var words = 0 switch
        {
            _ when Says("WRONGTYPE") => $"{redis}: the key '{options.Stream}' is no stream. Move it away, or give the sink another stream.",
            _ when Says("NOAUTH") || Says("WRONGPASS") || Says("invalid password") || Says("AuthenticationFailure") => $"{redis} refuses the password of the sink's connection.",
            _ when Says("NOPERM") => $"{redis} does not permit what the sink needs: EVAL and XADD on '{options.Stream}'.",
            _ when Says("OOM command") => $"{redis} is out of memory. Raise its maxmemory, trim the stream, or give the sink a max_length.",
            _ when Says("READONLY") => $"{redis} is a replica. Connect the sink to the primary.",
            _ when Says("MISCONF") => $"{redis} takes no writes because it cannot save them to its disk.",
            _ when Says("LOADING") => $"{redis} is still loading its data.",
            _ when failure is RedisServerException => $"{redis} answered: {failure.Message}",
            _ when failure is RedisConnectionException away => $"{redis} does not answer ({away.FailureType}).",
            _ when failure is TimeoutException => $"{redis} did not answer within {options.Timeout.TotalSeconds:0.#} s.",
            _ => $"{redis} does not answer ({failure.Message}).",
        };
        return new SinkUnavailableException(words, failure);

        bool Says(string sign) => said.Contains(sign, StringComparison.OrdinalIgnoreCase);
    }
}
