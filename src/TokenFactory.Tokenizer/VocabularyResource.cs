using System.Buffers.Binary;
using System.IO.Compression;

namespace TokenFactory.Tokenizer;

/// <summary>Reads what eng/vocabulary.mjs wrote: token count, one length per token, then the tokens back to back.</summary>
internal static class VocabularyResource
{
    internal static Vocabulary Load(string encoding)
    {
        var name = $"{encoding}.br";
        using var resource = typeof(VocabularyResource).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The assembly was built without its vocabulary {name}.");
        using var stream = new BrotliStream(resource, CompressionMode.Decompress);

        Span<byte> count = stackalloc byte[sizeof(uint)];
        stream.ReadExactly(count);
        var lengths = new byte[BinaryPrimitives.ReadInt32LittleEndian(count)];
        stream.ReadExactly(lengths);

        var total = 0;
        foreach (var length in lengths)
        {
            total += length;
        }

        var bytes = new byte[total];
        stream.ReadExactly(bytes);
        return new Vocabulary(lengths, bytes);
    }
}
