using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;

namespace TokenFactory.Inference.Dispatch.Loopback;

/// <summary>Answers <c>POST …/embeddings</c>: a unit vector that depends on the text alone, so equal texts lie together.</summary>
internal static class Embeddings
{
    private const int DefaultDimensions = 256;
    private const int MostDimensions = 8192;
    private const int PerBlock = SHA256.HashSizeInBytes / sizeof(uint);

    public static ReadOnlyMemory<byte> Answer(Fields fields, CountTokens count)
    {
        var model = fields.Text("model");
        var inputs = Input.Read(fields, "input", count);
        var dimensions = fields.Whole("dimensions", 1, MostDimensions) ?? DefaultDimensions;
        var base64 = IsBase64(fields);
        if (inputs.Any(input => input.Bytes.Length == 0))
        {
            fields.Refuse("input", "Invalid 'input': it is empty.");
        }

        return fields.Fault is not null ? default : new EventWriter().Document(json =>
        {
            json.WriteString("object"u8, "list"u8);
            json.WriteStartArray("data"u8);
            for (var i = 0; i < inputs.Length; i++)
            {
                json.WriteStartObject();
                json.WriteString("object"u8, "embedding"u8);
                json.WriteNumber("index"u8, i);
                Write(json, Vector(inputs[i].Bytes, dimensions), base64);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteString("model"u8, model);
            WriteUsage(json, inputs.Sum(input => input.Tokens));
        });
    }

    private static bool IsBase64(Fields fields)
    {
        if (!fields.TryGet("encoding_format", out var format))
        {
            return false;
        }

        var asked = fields.Text(format, "encoding_format");
        if (asked is not ("float" or "base64"))
        {
            fields.Refuse("encoding_format", "Invalid 'encoding_format': expected 'float' or 'base64'.");
        }

        return asked == "base64";
    }

    private static float[] Vector(byte[] bytes, int dimensions)
    {
        // The text's hash with a counter behind it: each hash of that yields the next eight components.
        Span<byte> seed = stackalloc byte[SHA256.HashSizeInBytes + sizeof(int)];
        Span<byte> block = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes, seed);
        var vector = new float[dimensions];
        var squares = 0d;
        for (var i = 0; i < dimensions; i++)
        {
            if (i % PerBlock == 0)
            {
                BinaryPrimitives.WriteInt32LittleEndian(seed[SHA256.HashSizeInBytes..], i / PerBlock);
                SHA256.HashData(seed, block);
            }

            // 24 bits fit a float exactly; the half keeps every component, and so the length, off zero.
            var drawn = BinaryPrimitives.ReadUInt32LittleEndian(block[(i % PerBlock * sizeof(uint))..]) >> 8;
            vector[i] = (float)(((drawn + 0.5) / (1 << 23)) - 1);
            squares += (double)vector[i] * vector[i];
        }

        var length = Math.Sqrt(squares);
        for (var i = 0; i < dimensions; i++)
        {
            vector[i] = (float)(vector[i] / length);
        }

        return vector;
    }

    private static void Write(Utf8JsonWriter json, float[] vector, bool base64)
    {
        if (base64)
        {
            var bytes = new byte[vector.Length * sizeof(float)];
            for (var i = 0; i < vector.Length; i++)
            {
                BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i * sizeof(float)), vector[i]);
            }

            json.WriteBase64String("embedding"u8, bytes);
            return;
        }

        json.WriteStartArray("embedding"u8);
        foreach (var component in vector)
        {
            json.WriteNumberValue(component);
        }

        json.WriteEndArray();
    }

    private static void WriteUsage(Utf8JsonWriter json, int tokens)
    {
        json.WriteStartObject("usage"u8);
        json.WriteNumber("prompt_tokens"u8, tokens);
        json.WriteNumber("total_tokens"u8, tokens);
        json.WriteEndObject();
    }
}
