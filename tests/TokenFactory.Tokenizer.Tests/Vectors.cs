using System.Text;
using System.Text.Json;

namespace TokenFactory.Tokenizer.Tests;

/// <summary>Texts with the ids that the reference implementation gives them.</summary>
internal static class Vectors
{
    internal static readonly IReadOnlyList<Vector> All =
        [.. Lines("tokenizer.jsonl").Concat(Lines("patterns.jsonl")).Select(Parse)];

    internal static IEnumerable<string> Lines(string file) => File.ReadLines(Path.Combine(AppContext.BaseDirectory, file));

    private static Vector Parse(string line)
    {
        using var document = JsonDocument.Parse(line);
        var root = document.RootElement;
        return new Vector(Encoding.UTF8.GetBytes(root.GetProperty("text").GetString()!), Ids(root, "o200k_base"), Ids(root, "cl100k_base"));
    }

    private static int[] Ids(JsonElement root, string encoding) =>
        [.. root.GetProperty(encoding).EnumerateArray().Select(id => id.GetInt32())];

    internal sealed record Vector(byte[] Text, int[] O200k, int[] Cl100k)
    {
        internal int[] Ids(TokenEncoding encoding) => encoding == TokenEncoding.O200kBase ? O200k : Cl100k;
    }
}
