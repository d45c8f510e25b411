using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace TokenFactory.Tokenizer;

/// <summary>The tokens of one encoding: bytes by id, and id by bytes. A token's id is also its merge rank. Immutable, so
/// any number of threads may read it. About 8 MB for o200k_base, half of it for cl100k_base.</summary>
internal sealed class Vocabulary
{
    /// <summary>No token. Larger than any id, so it also loses every comparison of ranks.</summary>
    internal const int None = int.MaxValue;

    private const int IdBits = 24;

    private readonly byte[] _bytes;
    private readonly int[] _starts;
    private readonly int[] _pairs = new int[256 * 256];
    private readonly int[] _singles = new int[256];
    private readonly int _longest;

    // Open addressing, linear probing, under half full. A slot packs 32 bits of hash, 8 of length and 24 of id, and a
    // length is never 0: so an empty slot is 0, and nearly every wrong slot is told without touching the token's bytes.
    private readonly ulong[] _slots;
    private readonly int _shift;

    internal Vocabulary(ReadOnlySpan<byte> lengths, byte[] bytes)
    {
        _bytes = bytes;
        _starts = new int[lengths.Length + 1];
        _pairs.AsSpan().Fill(None);
        _singles.AsSpan().Fill(None);
        _slots = new ulong[BitOperations.RoundUpToPowerOf2((uint)lengths.Length * 2)];
        _shift = 64 - BitOperations.Log2((uint)_slots.Length);

        for (var id = 0; id < lengths.Length; id++)
        {
            _starts[id + 1] = _starts[id] + lengths[id];
            _longest = Math.Max(_longest, lengths[id]);
            Add(id);
        }
    }

    internal int Size => _starts.Length - 1;

    internal ReadOnlySpan<byte> BytesOf(int id) => _bytes.AsSpan(_starts[id].._starts[id + 1]);

    internal int Find(byte single) => _singles[single];

    internal int Find(byte first, byte second) => _pairs[(first << 8) | second];

    /// <summary>The id of the token with exactly these bytes, else <see cref="None"/>.</summary>
    internal int Find(ReadOnlySpan<byte> token)
    {
        if (token.Length <= 2)
        {
            return token.Length == 2 ? Find(token[0], token[1]) : Find(token[0]);
        }

        if (token.Length > _longest)
        {
            return None;
        }

        var hash = Hash(token);
        var wanted = Packed(hash, token.Length, 0) >> IdBits;
        var slots = _slots;
        for (var at = (int)(hash >> _shift); ; at = (at + 1) & (slots.Length - 1))
        {
            var slot = slots[at];
            if (slot >> IdBits == wanted)
            {
                var id = (int)(slot & ((1 << IdBits) - 1));
                if (BytesOf(id).SequenceEqual(token))
                {
                    return id;
                }
            }
            else if (slot == 0)
            {
                return None;
            }
        }
    }

    private void Add(int id)
    {
        var token = BytesOf(id);
        if (token.Length == 1)
        {
            _singles[token[0]] = id;
            return;
        }

        if (token.Length == 2)
        {
            _pairs[(token[0] << 8) | token[1]] = id;
            return;
        }

        var hash = Hash(token);
        var at = (int)(hash >> _shift);
        while (_slots[at] != 0)
        {
            at = (at + 1) & (_slots.Length - 1);
        }

        _slots[at] = Packed(hash, token.Length, id);
    }

    private static ulong Packed(ulong hash, int length, int id) => (hash << 32) | ((ulong)length << IdBits) | (uint)id;

    // Up to 16 bytes are two overlapping reads, so the usual token costs one multiplication. The table is fixed, so
    // chosen input cannot lengthen a probe beyond the table's longest cluster.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Hash(ReadOnlySpan<byte> token)
    {
        if (token.Length < 8)
        {
            return token.Length >= 4
                ? Mix(MemoryMarshal.Read<uint>(token), MemoryMarshal.Read<uint>(token[^4..]))
                : Mix(MemoryMarshal.Read<ushort>(token), token[^1]);
        }

        var head = MemoryMarshal.Read<ulong>(token);
        for (var middle = token[8..]; middle.Length > 8; middle = middle[8..])
        {
            head = Mix(head, MemoryMarshal.Read<ulong>(middle));
        }

        return Mix(head, MemoryMarshal.Read<ulong>(token[^8..]));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Mix(ulong left, ulong right)
    {
        var high = Math.BigMul(left ^ 0x9E3779B97F4A7C15, right ^ 0xD6E8FEB86659FD93, out var low);
        return high ^ low;
    }
}
