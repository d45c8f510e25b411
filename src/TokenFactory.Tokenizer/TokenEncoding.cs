using System.Buffers;

namespace TokenFactory.Tokenizer;

/// <summary>A published byte-pair encoding, over UTF-8 bytes. Names of special tokens (<c>&lt;|endoftext|&gt;</c>) in a
/// text are ordinary characters. Bytes that are not UTF-8 are never refused: each maximal invalid sequence is split off
/// like a symbol and its bytes are encoded as they are. The vocabulary loads on first use; every member is thread-safe
/// and counting allocates nothing. The count of a text is never larger than its number of bytes.</summary>
public sealed class TokenEncoding
{
    private readonly Lazy<Vocabulary> _vocabulary;
    private readonly bool _isO200k;

    internal TokenEncoding(string name, bool isO200k)
    {
        Name = name;
        _isO200k = isO200k;
        _vocabulary = new Lazy<Vocabulary>(() => VocabularyResource.Load(name));
    }

    /// <summary>GPT-4o and everything after it.</summary>
    public static TokenEncoding O200kBase { get; } = new("o200k_base", isO200k: true);

    /// <summary>GPT-3.5 and GPT-4, and the embedding models.</summary>
    public static TokenEncoding Cl100kBase { get; } = new("cl100k_base", isO200k: false);

    /// <summary>Every encoding there is.</summary>
    public static IReadOnlyList<TokenEncoding> All { get; } = [O200kBase, Cl100kBase];

    /// <summary>Its published name, such as <c>o200k_base</c>.</summary>
    public string Name { get; }

    internal bool IsLoaded => _vocabulary.IsValueCreated;

    internal Vocabulary Vocabulary => _vocabulary.Value;

    /// <summary>The encoding with this published name, else null.</summary>
    public static TokenEncoding? ForEncoding(string name) => All.FirstOrDefault(encoding => encoding.Name == name);

    /// <summary>The encoding of an OpenAI model, with or without a provider before it (<c>openai/gpt-4</c>) or the mark of
    /// a fine-tuned one (<c>ft:</c>). Any other model is counted with o200k_base: an approximation, and a documented one,
    /// since its own tokenizer is not known here.</summary>
    public static TokenEncoding ForModel(string model) => ModelNames.IsCl100k(model) ? Cl100kBase : O200kBase;

    /// <summary>How many tokens the text has.</summary>
    public int Count(ReadOnlySpan<byte> utf8)
    {
        Encode(utf8, isWhole: true, new TokenCount(), out var count);
        return count.Value;
    }

    /// <summary>Writes the text's token ids, in order, and returns how many they are.</summary>
    public int Encode(ReadOnlySpan<byte> utf8, IBufferWriter<int> ids)
    {
        Encode(utf8, isWhole: true, new TokenIds(ids), out var written);
        return written.Written;
    }

    /// <summary>Encodes a text, or of a text that goes on (<paramref name="isWhole"/> false) as many bytes as no
    /// continuation can encode otherwise, and says how many those are.</summary>
    internal Progress Encode<TSink>(ReadOnlySpan<byte> utf8, bool isWhole, TSink sink, out TSink filled)
        where TSink : struct, ITokenSink
    {
        return _isO200k
            ? Encode<O200kPattern, TSink>(utf8, isWhole, sink, out filled)
            : Encode<Cl100kPattern, TSink>(utf8, isWhole, sink, out filled);
    }

    private Progress Encode<TPattern, TSink>(ReadOnlySpan<byte> utf8, bool isWhole, TSink sink, out TSink filled)
        where TPattern : IPiecePattern
        where TSink : struct, ITokenSink
    {
        var text = new Utf8Text(utf8);
        var encoder = new PieceEncoder<TSink>(_vocabulary.Value, sink);
        var start = 0;
        while (start < utf8.Length)
        {
            var end = TPattern.End(ref text, start);
            if (text.TouchedEnd && !isWhole)
            {
                break;
            }

            encoder.Encode(utf8[start..end]);
            start = end;
        }

        filled = encoder.Sink;
        return new Progress(start, encoder.PairsSeen);
    }

    /// <param name="Bytes">How far the text is encoded.</param>
    /// <param name="PairsSeen">What merging cost.</param>
    internal readonly record struct Progress(int Bytes, long PairsSeen);
}
