using System.Buffers;
using TokenFactory.Inference.Dialects;
using TokenFactory.Inference.Dispatch;
using TokenFactory.Inference.Metering.Scanning;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Inference.Metering;

/// <summary>
/// An answer of one JSON body. It is held whole while it is small, so that a bad one can still become an honest error or go
/// to the next candidate; a larger one flows through, and its last piece waits for the settlement.
/// </summary>
internal sealed class WholeAnswer(Exchange exchange, UpstreamHead head, Delivery delivery, CountTokens count, int heldBytes) : Answer
{
    private readonly JsonAnswerScanner _scanner = new(count, exchange.Dialect);
    private readonly Segments _passing = new();
    private byte[] _held = ArrayPool<byte>.Shared.Rent(4096);
    private int _length;
    private bool _flowing;

    // What a converter writes where the backend said nothing is a zero; what it read is nothing.
    public override ReportedUsage? Usage => head.Converter is { IsClientsDialect: false } converter ? converter.Usage : _scanner.Usage;

    public override ReportedUsage? InputUsage => _scanner.InputUsage;

    public override (string? FinishReason, string? Model, string? Fingerprint) Said => (_scanner.FinishReason, _scanner.Model, _scanner.Fingerprint);

    public override bool SawContent => _scanner.SawContent;

    /// <summary>The client has heard keep-alive comments of a stream: no body can follow them.</summary>
    private bool ComesTooLate => !_flowing && delivery.HasStarted;

    public override async ValueTask TakeAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel)
    {
        if (ComesTooLate)
        {
            throw new BackendFaultException(NoAnswer());
        }

        _scanner.Feed(bytes.Span);
        if (!_flowing && _length + bytes.Length <= heldBytes)
        {
            Hold(bytes.Span);
            return;
        }

        // What was held until now goes; the newest piece is held in its place.
        _flowing = true;
        _passing.Begin(default);
        _passing.Add(_held.AsMemory(0, _length), -1);
        await delivery.SendAsync(_passing, head, cancel);
        _length = 0;
        Hold(bytes.Span);
    }

    public override Failure? Conclude()
    {
        if (_scanner.Error is { } error)
        {
            return InBandError.ToFailure(error.Without(head.Credential), exchange.Ask) with { Reported = Usage };
        }

        exchange.AnswerIsWhole = _scanner.IsWholeObject && !ComesTooLate;
        return exchange.AnswerIsWhole ? null
            : _flowing ? new Failure(Outcome.BackendCut, GatewayError.BackendCut, TookPrompt: true)
            : NoAnswer();
    }

    public override ValueTask ReleaseAsync() => delivery.FinishAsync(_held.AsMemory(0, _length), head, _flowing ? null : _length);

    public override long CountOutput() => _scanner.CountDelivered();

    public override void Dispose()
    {
        _scanner.Dispose();
        if (_held.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_held);
            _held = [];
        }
    }

    private static Failure NoAnswer() => new(Outcome.Failed, GatewayError.BackendFailed, TookPrompt: true);

    private void Hold(ReadOnlySpan<byte> bytes)
    {
        if (_length + bytes.Length > _held.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_held.Length * 2, _length + bytes.Length));
            _held.AsSpan(0, _length).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_held);
            _held = larger;
        }

        bytes.CopyTo(_held.AsSpan(_length));
        _length += bytes.Length;
    }
}
