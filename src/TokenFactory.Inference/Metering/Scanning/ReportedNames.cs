using System.Text;
using System.Text.Json;

namespace TokenFactory.Inference.Metering.Scanning;

/// <summary>
/// Names that answers repeat, of models and fingerprints, as one string each: a name that was seen before costs a comparison and no
/// allocation. A table of one size, in which a name may push out another.
/// </summary>
internal static class ReportedNames
{
    /// <summary>What is beyond it is left off, wherever the name was found.</summary>
    public const int BoundBytes = 128;

    private const int Slots = 256;

    private static readonly Entry?[] _entries = new Entry?[Slots];

    /// <param name="raw">The inside of a JSON string.</param>
    /// <returns>Null for no name.</returns>
    public static string? Of(ReadOnlySpan<byte> raw)
    {
        if (raw.IsEmpty)
        {
            return null;
        }

        raw = raw[..Math.Min(raw.Length, BoundBytes)];
        var hash = default(HashCode);
        hash.AddBytes(raw);
        ref var slot = ref _entries[(uint)hash.ToHashCode() % Slots];
        if (Volatile.Read(ref slot) is { } known && raw.SequenceEqual(known.Raw))
        {
            return known.Name;
        }

        var fresh = new Entry(raw.ToArray(), Read(raw));
        Volatile.Write(ref slot, fresh);
        return fresh.Name;
    }

    private static string Read(ReadOnlySpan<byte> raw)
    {
        var text = Encoding.UTF8.GetString(raw);
        if (text.Contains('\\', StringComparison.Ordinal))
        {
            try
            {
                text = JsonSerializer.Deserialize<string>($"\"{text}\"")!;
            }
            catch (JsonException)
            {
                // Cut inside an escape, or never one: as it came.
            }
        }

        // It is shown on terminals, which obey control characters.
        return string.Concat(text.Select(static character => char.IsControl(character) ? '\uFFFD' : character));
    }

    private sealed record Entry(byte[] Raw, string Name);
}
