namespace TokenFactory.Inference.ModelAudit.Changes;

/// <summary>The latest of something, the oldest first.</summary>
internal sealed class Ring<T>(int most)
{
    private readonly T[] _items = new T[most];
    private int _first;

    public int Count { get; private set; }

    public bool IsFull => Count == most;

    public T this[int index] => _items[(_first + index) % most];

    /// <returns>Whether one had to leave for it.</returns>
    public bool Push(T item, out T left)
    {
        if (Count < most)
        {
            _items[(_first + Count++) % most] = item;
            left = default!;
            return false;
        }

        left = _items[_first];
        _items[_first] = item;
        _first = (_first + 1) % most;
        return true;
    }

    public IEnumerable<T> Values()
    {
        for (var index = 0; index < Count; index++)
        {
            yield return this[index];
        }
    }

    public void Clear() => (_first, Count) = (0, 0);
}
