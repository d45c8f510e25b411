namespace TokenFactory.Inference.ReadModel;

/// <summary>Changes on the way to the next <see cref="KeyTable"/>. Copies a shard when it is first touched; for one thread.</summary>
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
        var used = Used(index);
        var place = KeyTable.Place(used, digest);
        return place >= 0 ? used[place].Secret : null;
    }

    public void Set(in KeyDigest digest, KeySecret secret)
    {
        var index = KeyTable.ShardOf(digest);
        var place = KeyTable.Place(Used(index), digest);
        var length = Touch(index, grow: place < 0);
        var shard = _shards[index];
        if (place < 0)
        {
            place = ~place;
            Array.Copy(shard, place, shard, place + 1, length - place);
            _touched[index] = length + 1;
            Count++;
        }

        shard[place] = new KeySlot(digest, secret);
    }

    public void Remove(in KeyDigest digest)
    {
        var index = KeyTable.ShardOf(digest);
        var place = KeyTable.Place(Used(index), digest);
        if (place < 0)
        {
            return;
        }

        var length = Touch(index, grow: false) - 1;
        var shard = _shards[index];
        Array.Copy(shard, place + 1, shard, place, length - place);
        shard[length] = default;
        _touched[index] = length;
        Count--;
    }

    /// <summary>The table as it is now. What is changed afterwards is in the next one.</summary>
    public KeyTable Build()
    {
        foreach (var (index, length) in _touched)
        {
            if (_shards[index].Length != length)
            {
                _shards[index] = _shards[index][..length];
            }
        }

        _touched.Clear();
        return new KeyTable([.. _shards], Count);
    }

    private ReadOnlySpan<KeySlot> Used(int index) =>
        _touched.TryGetValue(index, out var length) ? _shards[index].AsSpan(0, length) : _shards[index];

    // A shard of an older table is never written to: it is copied first, with room to grow.
    private int Touch(int index, bool grow)
    {
        var isOurs = _touched.TryGetValue(index, out var length);
        length = isOurs ? length : _shards[index].Length;
        if (!isOurs || (grow && length == _shards[index].Length))
        {
            var copy = new KeySlot[grow ? Math.Max(4, length + (length / 2)) + 1 : length];
            Array.Copy(_shards[index], copy, length);
            _shards[index] = copy;
            _touched[index] = length;
        }

        return length;
    }
}
