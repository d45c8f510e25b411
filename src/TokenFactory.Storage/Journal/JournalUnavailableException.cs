namespace TokenFactory.Storage.Journal;

/// <summary>The entry is not durable: the queue is full, or its commit failed. Nothing may be told to the caller as done.</summary>
public sealed class JournalUnavailableException : Exception
{
    public JournalUnavailableException(string message)
        : base(message)
    {
    }

    public JournalUnavailableException(string message, Exception cause)
        : base(message, cause)
    {
    }

    public JournalUnavailableException()
    {
    }
}
