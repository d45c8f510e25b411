namespace TokenFactory.Storage.Journal.Writer;

/// <summary>The bounded line before the writer's thread. A lock and not a channel: the reader is a thread that blocks, and takes all that waits at once.</summary>
internal sealed class EntryQueue
{
    private readonly object _gate = new();
    private readonly Queue<Entry> _entries = new();
    private bool _readerWaits;
    private bool _closed;

    public int Depth
    {
        get
        {
            lock (_gate)
            {
                return _entries.Count;
            }
        }
    }

    public bool TryAdd(Entry entry, int limit)
    {
        lock (_gate)
        {
            if (_closed || _entries.Count >= limit)
            {
                return false;
            }

            _entries.Enqueue(entry);
            if (_readerWaits)
            {
                Monitor.Pulse(_gate);
            }

            return true;
        }
    }

    /// <summary>Lets entries gather for a moment, unless <paramref name="enough"/> wait already.</summary>
    public void Gather(int enough, TimeSpan moment)
    {
        lock (_gate)
        {
            if (_entries.Count < enough && !_closed)
            {
                // Nobody pulses: the reader is not waiting for a first entry.
                Monitor.Wait(_gate, moment);
            }
        }
    }

    /// <summary>Takes what waits, up to <paramref name="most"/>; waits for a first entry no longer than <paramref name="patience"/>.</summary>
    /// <returns>False when the queue is closed and empty: nothing will come any more.</returns>
    public bool Take(List<Entry> into, int most, TimeSpan patience)
    {
        lock (_gate)
        {
            if (_entries.Count == 0 && !_closed)
            {
                _readerWaits = true;
                Monitor.Wait(_gate, patience);
                _readerWaits = false;
            }

            while (into.Count < most && _entries.TryDequeue(out var entry))
            {
                into.Add(entry);
            }

            return into.Count > 0 || !_closed;
        }
    }

    public void Close()
    {
        lock (_gate)
        {
            _closed = true;
            Monitor.PulseAll(_gate);
        }
    }
}
