using System.Diagnostics.CodeAnalysis;

namespace TokenFactory.Inference.ReadModel.Keys;

/// <summary>
/// Digest → secret, immutable. Digests are uniform, so their first bits split them evenly over small sorted arrays: a lookup
/// is one binary search that allocates nothing, and a changed table shares every array that the change did not touch. One
/// key among a million so costs two copies of some kilobytes, where a frozen dictionary would be built anew.
/// </summary>
public sealed class KeyTable
{
    private const int ShardBits = 12;

    /// <summary>As many as keep the list of them out of the large object heap, which every change copies.</summary>
    internal const int Shards = 1 << ShardBits;

    private readonly KeySlot[][] _shards;

    internal KeyTable(KeySlot[][] shards, int count)
    {
        _shards = shards;
        Count = count;
    }

    public static KeyTable Empty { get; } = new([.. Enumerable.Repeat(Array.Empty<KeySlot>(), Shards)], 0);

    public int Count { get; }

    /// <summary>In no order that means anything.</summary>
    public IEnumerable<KeySecret> Secrets => _shards.SelectMany(shard => shard).Select(slot => slot.Secret);

    public static KeyTable Of(IEnumerable<KeyValuePair<KeyDigest, KeySecret>> secrets)
    {
        var builder = Empty.Change();
        foreach (var (digest, secret) in secrets)
        {
            builder.Set(digest, secret);
        }

        return builder.Build();
    }

    public KeySecret? Find(in KeyDigest digest)
    {
        var shard = _shards[ShardOf(digest)];
        var place = Place(shard, digest);
        return place >= 0 ? shard[place].Secret : null;
    }

    public bool TryGetValue(KeyDigest digest, [MaybeNullWhen(false)] out KeySecret secret)
    {
        secret = Find(digest);
        return secret is not null;
    }

    /// <summary>A copy to change; this table stays as it is.</summary>
    public KeyTableBuilder Change() => new(_shards, Count);

    internal static int ShardOf(in KeyDigest digest) => (int)(digest.A >> (64 - ShardBits));

    /// <summary>Where it is, or the complement of where it would be.</summary>
    internal static int Place(ReadOnlySpan<KeySlot> shard, in KeyDigest digest)
    {
        var (low, high) = (0, shard.Length - 1);
        while (low <= high)
        {
            var middle = (low + high) >>> 1;
            var order = Compare(shard[middle].Digest, digest);
            if (order == 0)
            {
                return middle;
            }

            (low, high) = order < 0 ? (middle + 1, high) : (low, middle - 1);
        }

        return ~low;
    }

    internal static int Compare(in KeyDigest left, in KeyDigest right)
    {
        var order = left.A.CompareTo(right.A);
        order = order != 0 ? order : left.B.CompareTo(right.B);
        order = order != 0 ? order : left.C.CompareTo(right.C);
        return order != 0 ? order : left.D.CompareTo(right.D);
    }
}

internal readonly record struct KeySlot(KeyDigest Digest, KeySecret Secret);
