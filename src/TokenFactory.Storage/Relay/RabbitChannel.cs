using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace TokenFactory.Storage.Relay;

/// <summary>
/// One connection with one channel in confirm mode. The confirms are followed here and not by the client library: its tracking
/// adds a number to every message, which would then differ from one delivery of an event to the next.
/// </summary>
internal sealed class RabbitChannel : IAsyncDisposable
{
    private static readonly TimeSpan _closeWithin = TimeSpan.FromSeconds(1);

    private readonly IConnection _connection;
    private readonly IChannel _channel;
    private readonly Lock _lock = new();
    private readonly SortedSet<ulong> _unconfirmed = [];
    private TaskCompletionSource? _settled;
    private string? _refused;
    private volatile string? _blocked;

    private RabbitChannel(IConnection connection, IChannel channel)
    {
        _connection = connection;
        _channel = channel;
        channel.BasicAcksAsync += (_, ack) => ConfirmAsync(ack.DeliveryTag, ack.Multiple, null);
        channel.BasicNacksAsync += (_, nack) => ConfirmAsync(nack.DeliveryTag, nack.Multiple, "it could not take an event, as when a queue is full and rejects");
        channel.BasicReturnAsync += ReturnedAsync;
        channel.ChannelShutdownAsync += (_, _) => EndAsync();
        connection.ConnectionBlockedAsync += (_, blocked) =>
        {
            _blocked = blocked.Reason;
            return Task.CompletedTask;
        };
        connection.ConnectionUnblockedAsync += (_, _) =>
        {
            _blocked = null;
            return Task.CompletedTask;
        };
    }

    /// <summary>Why the broker reads nothing from its publishers at the moment; null when it does.</summary>
    public string? Blocked => _blocked;

    public bool IsOpen => _channel.IsOpen;

    /// <summary>Why the broker closed the channel or the connection, if it did.</summary>
    public ShutdownEventArgs? Closed => _channel.CloseReason;

    public static async Task<RabbitChannel> OpenAsync(ConnectionFactory factory, CancellationToken cancel)
    {
        var connection = await factory.CreateConnectionAsync(cancel);
        try
        {
            var channel = await connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: false), cancel);
            return new RabbitChannel(connection, channel);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Sends one message after those sent before; its confirm is awaited by <see cref="ConfirmedAsync"/>.</summary>
    public async Task PublishAsync(string exchange, string routingKey, BasicProperties properties, ReadOnlyMemory<byte> body, CancellationToken cancel)
    {
        var number = await _channel.GetNextPublishSequenceNumberAsync(cancel);
        lock (_lock)
        {
            _unconfirmed.Add(number);
        }

        await _channel.BasicPublishAsync(exchange, routingKey, mandatory: true, properties, body, cancel);
    }

    /// <summary>Completes when the broker has answered for every message sent, or the channel is gone.</summary>
    /// <returns>Null when it took all of them, else what became of the first it did not take.</returns>
    public async Task<string?> ConfirmedAsync(CancellationToken cancel)
    {
        Task settled;
        lock (_lock)
        {
            // Made only now: while messages are still being sent, "all confirmed" may be true of the few sent so far.
            _settled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            settled = _unconfirmed.Count == 0 || !_channel.IsOpen ? Task.CompletedTask : _settled.Task;
        }

        await settled.WaitAsync(cancel);
        lock (_lock)
        {
            var refused = _refused ?? (_unconfirmed.Count == 0 ? null : "the channel was closed");
            (_refused, _settled) = (null, null);
            return refused;
        }
    }

    public async ValueTask DisposeAsync()
    {
        // A broker that does not answer is not waited for: the next try would be late.
        await _connection.AbortAsync(_closeWithin);
        await _channel.DisposeAsync();
        await _connection.DisposeAsync();
    }

    private Task ConfirmAsync(ulong number, bool multiple, string? refused)
    {
        lock (_lock)
        {
            _refused ??= refused;
            if (multiple)
            {
                _unconfirmed.RemoveWhere(one => one <= number);
            }
            else
            {
                _unconfirmed.Remove(number);
            }

            if (_unconfirmed.Count == 0)
            {
                _settled?.TrySetResult();
            }
        }

        return Task.CompletedTask;
    }

    /// <summary>Comes before the confirm of the same message.</summary>
    private Task ReturnedAsync(object sender, BasicReturnEventArgs returned)
    {
        lock (_lock)
        {
            _refused ??= $"no queue is bound for routing key '{returned.RoutingKey}' at exchange '{returned.Exchange}' ({returned.ReplyText})";
        }

        return Task.CompletedTask;
    }

    private Task EndAsync()
    {
        lock (_lock)
        {
            _settled?.TrySetResult();
        }

        return Task.CompletedTask;
    }
}
