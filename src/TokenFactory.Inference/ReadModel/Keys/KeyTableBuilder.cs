namespace TokenFactory.Inference.ReadModel.Keys;

/// <summary>
/// Changes on the way to the next <see cref="KeyTable"/>. Copies a shard when it is first touched, appends to the copy, and puts
/// it in order once, when the table is built. For one thread.
/// </summary>
public sealed class KeyTableBuilder
{
    private readonly KeySlot[][] _shards;
    private readonly Dictionary<int, int> _touched = [];

    internal KeyTableBuilder(KeySlot[][] shards, int count)
    {
        _shards = [.. shards];
        Count = count;
    }

    public int Count { get; private set; }

    public KeySecret? Find(in KeyDigest digest)
    {
        var index = KeyTable.ShardOf(digest);
        var place = Place(index, digest);
        return place >= 0 ? _shards[index][place].Secret : null;
    }

    public void Set(in KeyDigest digest, KeySecret secret)
    {
        var index = KeyTable.ShardOf(digest);
        var place = Place(index, digest);
        var length = Touch(index, grow: place < 0);
        if (place < 0)
        {
            place = length;
            _touched[index] = length + 1;
            Count++;
        }

        _shards[index][place] = new KeySlot(digest, secret);
    }

    public void Remove(in KeyDigest digest)
    {
        var index = KeyTable.ShardOf(digest);
        var place = Place(index, digest);
        if (place < 0)
        {
            return;
        }

        var last = Touch(index, grow: false) - 1;
        var shard = _shards[index];
        shard[place] = shard[last];
        shard[last] = default;
        _touched[index] = last;
        Count--;
    }

    /// <summary>The table as it is now. What is changed afterwards is in the next one.</summary>
    public KeyTable Build()
    {
        foreach (var (index, length) in _touched)
        {
            var shard = _shards[index].Length == length ? _shards[index] : _shards[index][..length];
            shard.AsSpan().Sort(static (left, right) => KeyTable.Compare(left.Digest, right.Digest));
            _shards[index] = shard;
        }

        _touched.Clear();
        return new KeyTable([.. _shards], Count);
    }

    // In a touched shard the digests are in no order.
    private int Place(int index, in KeyDigest digest)
    {
        if (!_touched.TryGetValue(index, out var length))
        {
            return KeyTable.Place(_shards[index], digest);
        }

        var used = _shards[index].AsSpan(0, length);
        for (var i = 0; i < used.Length; i++)
        {
            if (used[i].Digest.A == digest.A && used[i].Digest == digest)
            {
                return i;
            }
        }

        return -1;
    }

    // A shard of an older table is never written to: it is copied first, with room to grow.
    private int Touch(int index, bool grow)
    {
        var isOurs = _touched.TryGetValue(index, out var length);
        length = isOurs ? length : _shards[index].Length;
        if (!isOurs || (grow && length == _shards[index].Length))
        {
            var copy = new KeySlot[grow ? length + (length / 2) + 4 : length];
            Array.Copy(_shards[index], copy, length);
            _shards[index] = copy;
            _touched[index] = length;
        }

        return length;
    }
}
