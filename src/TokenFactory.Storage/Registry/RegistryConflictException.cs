namespace TokenFactory.Storage.Registry;

/// <summary>Somebody else changed the registry since it was read: read it again and decide anew.</summary>
public sealed class RegistryConflictException : Exception
{
    public RegistryConflictException()
        : base("The registry was changed by somebody else at the same time: nothing was written, try again.")
    {
    }

    public RegistryConflictException(string message)
        : base(message)
    {
    }

    public RegistryConflictException(string message, Exception cause)
        : base(message, cause)
    {
    }
}
