using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace TokenFactory.Inference.Dispatch.Loopback;

/// <summary>Writes one JSON document at a time into one buffer that is used again for the next.</summary>
internal sealed class EventWriter
{
    private static readonly JsonWriterOptions _options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly ArrayBufferWriter<byte> _buffer = new();

    public static ReadOnlyMemory<byte> Done { get; } = "data: [DONE]\n\n"u8.ToArray();

    public ReadOnlyMemory<byte> Document(Action<Utf8JsonWriter> write)
    {
        _buffer.ResetWrittenCount();
        Write(write);
        return _buffer.WrittenMemory;
    }

    public ReadOnlyMemory<byte> Event(Action<Utf8JsonWriter> write)
    {
        _buffer.ResetWrittenCount();
        _buffer.Write("data: "u8);
        Write(write);
        _buffer.Write("\n\n"u8);
        return _buffer.WrittenMemory;
    }

    /// <summary>One that tells its name.</summary>
    public ReadOnlyMemory<byte> Event(string name, Action<Utf8JsonWriter> write)
    {
        _buffer.ResetWrittenCount();
        _buffer.Write("event: "u8);
        Encoding.UTF8.GetBytes(name, _buffer);
        _buffer.Write("\ndata: "u8);
        Write(write);
        _buffer.Write("\n\n"u8);
        return _buffer.WrittenMemory;
    }

    private void Write(Action<Utf8JsonWriter> write)
    {
        using var json = new Utf8JsonWriter(_buffer, _options);
        json.WriteStartObject();
        write(json);
        json.WriteEndObject();
    }
}
