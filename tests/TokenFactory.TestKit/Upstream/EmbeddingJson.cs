using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using TokenFactory.TestKit.Upstream.Steps;

namespace TokenFactory.TestKit.Upstream;

/// <summary>A list of embeddings: each vector is of length one and depends on its text alone.</summary>
internal static class EmbeddingJson
{
    private const int DefaultDimensions = 8;

    public static ReadOnlyMemory<byte> Of(Play play, UpstreamUsage? usage) => CompletionJson.Write(json =>
    {
        json.WriteString("object", "list");
        json.WriteStartArray("data");
        for (var index = 0; index < play.Ask.Inputs.Count; index++)
        {
            json.WriteStartObject();
            json.WriteString("object", "embedding");
            json.WriteNumber("index", index);
            WriteVector(json, VectorOf(play.Ask.Inputs[index], play.Ask.Dimensions ?? DefaultDimensions), play.Ask.Base64);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteString("model", play.Ask.Model);
        if (usage is not null)
        {
            json.WriteStartObject("usage");
            json.WriteNumber("prompt_tokens", usage.Prompt);
            json.WriteNumber("total_tokens", usage.Total);
            json.WriteEndObject();
        }
    });

    internal static float[] VectorOf(string text, int dimensions)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var vector = new float[dimensions];
        for (var at = 0; at < dimensions; at++)
        {
            vector[at] = (Fnv1a(bytes, at) % 2001 / 1000f) - 1f;
        }

        var length = MathF.Sqrt(vector.Sum(value => value * value));
        return length == 0 ? vector : [.. vector.Select(value => value / length)];
    }

    private static uint Fnv1a(byte[] bytes, int seed)
    {
        var hash = 2166136261u ^ (uint)seed;
        foreach (var value in bytes)
        {
            hash = unchecked((hash ^ value) * 16777619u);
        }

        return hash;
    }

    private static void WriteVector(Utf8JsonWriter json, float[] vector, bool base64)
    {
        if (base64)
        {
            var bytes = new byte[vector.Length * sizeof(float)];
            for (var at = 0; at < vector.Length; at++)
            {
                BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(at * sizeof(float)), vector[at]);
            }

            json.WriteString("embedding", Convert.ToBase64String(bytes));
            return;
        }

        json.WriteStartArray("embedding");
        foreach (var value in vector)
        {
            json.WriteNumberValue(value);
        }

        json.WriteEndArray();
    }
}
