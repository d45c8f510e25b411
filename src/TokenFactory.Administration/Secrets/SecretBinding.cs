using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using TokenFactory.Inference.ReadModel.Addresses;

namespace TokenFactory.Administration.Secrets;

/// <summary>
/// For whom a secret was sealed: it opens for this provider of this tenant, and is shown to these origins. It stands in the sealed text in
/// clear, and nothing of it can be changed there without the text becoming useless.
/// </summary>
/// <param name="Tenant">Null is the operator.</param>
public sealed record SecretBinding(string? Tenant, string Provider, IReadOnlyList<EndpointOrigin> Origins)
{
    public const int MaxOrigins = 64;

    /// <summary>As people read it.</summary>
    public override string ToString() => $"provider '{Provider}' of {(Tenant is null ? "the operator" : $"tenant '{Tenant}'")}";

    /// <summary>One binding has one form: origins in order, each once.</summary>
    internal byte[] ToBytes()
    {
        var bytes = new ArrayBufferWriter<byte>();
        Write(bytes, Tenant ?? "");
        Write(bytes, Provider);
        var origins = Origins.Select(origin => origin.ToString()).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToArray();
        bytes.Write([(byte)origins.Length]);
        foreach (var origin in origins)
        {
            Write(bytes, origin);
        }

        return bytes.WrittenSpan.ToArray();
    }

    /// <summary>Null when the bytes are none; <paramref name="rest"/> is what follows it.</summary>
    internal static SecretBinding? Read(ReadOnlySpan<byte> bytes, out ReadOnlySpan<byte> rest)
    {
        rest = bytes;
        if (Text(ref rest) is not { } tenant || Text(ref rest) is not { } provider || rest.IsEmpty || rest[0] is 0 or > MaxOrigins)
        {
            return null;
        }

        var origins = new EndpointOrigin[rest[0]];
        rest = rest[1..];
        for (var i = 0; i < origins.Length; i++)
        {
            if (Text(ref rest) is not { } text || !Uri.TryCreate(text, UriKind.Absolute, out var url))
            {
                return null;
            }

            origins[i] = EndpointOrigin.Of(url);
        }

        return new SecretBinding(tenant.Length > 0 ? tenant : null, provider, origins);
    }

    private static void Write(ArrayBufferWriter<byte> bytes, string text)
    {
        var length = Encoding.UTF8.GetByteCount(text);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.GetSpan(2), checked((ushort)length));
        bytes.Advance(2);
        Encoding.UTF8.GetBytes(text, bytes.GetSpan(length));
        bytes.Advance(length);
    }

    private static string? Text(ref ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 2 || BinaryPrimitives.ReadUInt16BigEndian(bytes) is var length && bytes.Length < 2 + length)
        {
            return null;
        }

        var text = Encoding.UTF8.GetString(bytes.Slice(2, length));
        bytes = bytes[(2 + length)..];
        return text;
    }
}
