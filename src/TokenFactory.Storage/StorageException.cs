namespace TokenFactory.Storage;

/// <summary>The store cannot be used as it is; the message says what is wrong and what to do, for the operator to read.</summary>
public sealed class StorageException : Exception
{
    public StorageException(string message)
        : base(message)
    {
    }

    public StorageException(string message, Exception cause)
        : base(message, cause)
    {
    }

    public StorageException()
    {
    }
}
