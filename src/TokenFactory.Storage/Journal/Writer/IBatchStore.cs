namespace TokenFactory.Storage.Journal.Writer;

/// <summary>Where the journal's batches go. Called from the writer's thread alone.</summary>
internal interface IBatchStore : IDisposable
{
    /// <summary>Whether a commit costs so much more than a row that a busy writer lets entries gather for it.</summary>
    bool Gathers { get; }

    /// <summary>Starts over on a new connection and writes: only a commit that succeeded proves that the next one may.</summary>
    /// <exception cref="StorageException">The store cannot be written; the message is for the operator.</exception>
    void Open();

    /// <summary>
    /// Makes the batch durable, in the order it was handed over. An entry that is refused for what it is carries its
    /// <see cref="Entry.Fault"/> afterwards and does not take the others with it.
    /// </summary>
    /// <exception cref="StorageException">Nothing of the batch is known to be durable. So it is after any other exception.</exception>
    void Write(IReadOnlyList<Entry> batch);

    /// <summary>Gives the connection up, whatever state it is in.</summary>
    void Close();
}
