using TokenFactory.Inference.Dialects.Events;

namespace TokenFactory.Inference.Dialects.Responses;

/// <summary>A whole response of the client's own dialect in which only ids are replaced: every other byte is the backend's.</summary>
internal sealed class SignedBody(ResponseIds ids, BodyBudget budget) : AnswerConverter
{
    private const int BodyBoundBytes = 32 * 1024 * 1024;

    private readonly HeldBytes _body = new(budget, BodyBoundBytes, forms: 3);
    private readonly PooledBytes _out = new();

    public override bool IsClientsDialect => true;

    public override ReadOnlyMemory<byte> Feed(ReadOnlySpan<byte> bytes)
    {
        _body.Append(bytes);
        return default;
    }

    public override ReadOnlyMemory<byte> Complete()
    {
        ids.Find(_body.Span, isEvent: false);
        ids.Write(_body.Span, places: null, _out);
        return _out.Memory;
    }

    public override void Dispose()
    {
        _body.Dispose();
        _out.Dispose();
    }
}
