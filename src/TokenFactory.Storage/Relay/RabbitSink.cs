using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using TokenFactory.Storage.Outbox;

namespace TokenFactory.Storage.Relay;

/// <summary>
/// Publishes events to a RabbitMQ exchange over AMQP 0.9.1: persistent, mandatory, in order on one channel, a batch acknowledged
/// when the broker has confirmed all of it. The message is the event as it is kept, with the properties of CloudEvents' AMQP
/// protocol binding in structured mode (content type application/cloudevents+json) and the event's id as message id. Exchanges,
/// queues and bindings are the operator's. Only an event that is larger than the broker takes is rejected; whatever else goes
/// wrong is said of the broker or of us, and is tried again.
/// </summary>
internal sealed class RabbitSink(SinkOptions options) : ISink, IDisposable, IAsyncDisposable
{
    // AMQP 0.9.1, 1.2: content-too-large and precondition-failed; RabbitMQ answers the second to a message over max_message_size.
    private const ushort ContentTooLarge = 311;
    private const ushort PreconditionFailed = 406;

    private readonly string _exchange = options.Exchange ?? "";
    private RabbitChannel? _channel;

    public string Name => options.Name;

    public int MaxBatch => options.BatchSize;

    public async Task OpenAsync(CancellationToken cancel)
    {
        // What was sent into a blocked connection is read when the alarm is over: each new connection would add another copy.
        if (_channel is { IsOpen: true, Blocked: { } reason })
        {
            throw new SinkUnavailableException($"RabbitMQ at {options.Rabbit} still takes no messages: {reason}.");
        }

        await CloseAsync();
        await WithinAsync(async limit => _channel = await RabbitChannel.OpenAsync(options.Rabbit!.ToFactory(options.Timeout), limit), cancel);
    }

    public async Task DeliverAsync(IReadOnlyList<OutboxMessage> batch, CancellationToken cancel)
    {
        // A rejection closes the channel, and the rest of the batch follows without an opening in between.
        if (_channel is not { IsOpen: true })
        {
            await OpenAsync(cancel);
        }

        await WithinAsync(limit => PublishAsync(_channel!, batch, limit), cancel);
    }

    public async ValueTask DisposeAsync() => await CloseAsync();

    public void Dispose() => CloseAsync().GetAwaiter().GetResult();

    private async Task PublishAsync(RabbitChannel channel, IReadOnlyList<OutboxMessage> batch, CancellationToken limit)
    {
        foreach (var message in batch)
        {
            await channel.PublishAsync(_exchange, options.RoutingKey ?? message.Type, Properties(message), message.Body, limit);
        }

        if (await channel.ConfirmedAsync(limit) is { } refused)
        {
            throw Closing(channel) ?? new SinkUnavailableException($"RabbitMQ at {options.Rabbit} did not confirm a batch: {refused}.");
        }
    }

    private static BasicProperties Properties(OutboxMessage message) => new()
    {
        ContentType = "application/cloudevents+json",
        MessageId = message.EventId.ToString("D"),
        Type = message.Type,
        DeliveryMode = DeliveryModes.Persistent,
        Timestamp = new AmqpTimestamp(message.CreatedAt.ToUnixTimeSeconds()),
    };

    /// <summary>Within the sink's own deadline: the client's clocks do not bound a publish, nor the wait for a confirm.</summary>
    private async Task WithinAsync(Func<CancellationToken, Task> what, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(options.Timeout);
        try
        {
            await what(limit.Token);
        }
        catch (Exception failure) when (failure is not (SinkRejectedException or SinkUnavailableException) && !cancel.IsCancellationRequested)
        {
            throw Explain(failure);
        }
    }

    /// <summary>What the broker closed the channel for; null when it did not.</summary>
    private Exception? Closing(RabbitChannel? channel) => channel?.Closed switch
    {
        null => null,
        { ReplyCode: ContentTooLarge or PreconditionFailed } closed => new SinkRejectedException($"{closed.ReplyCode} {closed.ReplyText}"),
        var closed => new SinkUnavailableException($"RabbitMQ at {options.Rabbit} closed the channel: {closed.ReplyCode} {closed.ReplyText}", closed.Exception),
    };

    private Exception Explain(Exception failure)
    {
        var rabbit = $"RabbitMQ at {options.Rabbit}";
        return failure switch
        {
            _ when Closing(_channel) is { } closing => closing,
            _ when Find<PossibleAuthenticationFailureException>(failure) is not null => new SinkUnavailableException($"{rabbit} refuses the user or the password of the sink's connection.", failure),
            _ when Find<OperationInterruptedException>(failure)?.ShutdownReason is { } refusal => new SinkUnavailableException($"{rabbit} refuses: {refusal.ReplyCode} {refusal.ReplyText}", failure),
            OperationCanceledException when _channel?.Blocked is { } reason => new SinkUnavailableException($"{rabbit} takes no messages: {reason}.", failure),
            OperationCanceledException => new SinkUnavailableException($"{rabbit} did not answer within {options.Timeout.TotalSeconds:0.#} s.", failure),
            _ => new SinkUnavailableException($"{rabbit} cannot be reached ({failure.GetBaseException().Message}).", failure),
        };
    }

    private static T? Find<T>(Exception? failure)
        where T : Exception => failure is null ? null : failure as T ?? Find<T>(failure.InnerException);

    private async Task CloseAsync()
    {
        if (_channel is { } channel)
        {
            _channel = null;
            await channel.DisposeAsync();
        }
    }
}
