using System.Buffers;

namespace TokenFactory.Tokenizer;

/// <summary>Where tokens go. Implemented by structs, so that counting compiles to an increment.</summary>
internal interface ITokenSink
{
    void Add(int id);
}

internal struct TokenCount : ITokenSink
{
    internal int Value { get; private set; }

    public void Add(int id) => Value++;
}

internal struct TokenIds(IBufferWriter<int> ids) : ITokenSink
{
    internal int Written { get; private set; }

    public void Add(int id)
    {
        ids.GetSpan(1)[0] = id;
        ids.Advance(1);
        Written++;
    }
}
