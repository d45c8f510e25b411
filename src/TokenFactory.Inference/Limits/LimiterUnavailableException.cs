namespace TokenFactory.Inference.Limits;

/// <summary>The limiter's store cannot be asked; without it nothing bounds spend, so the request is refused with 503.</summary>
public sealed class LimiterUnavailableException : Exception
{
    public LimiterUnavailableException(string message, Exception cause)
        : base(message, cause)
    {
    }

    public LimiterUnavailableException(string message)
        : base(message)
    {
    }

    public LimiterUnavailableException()
    {
    }
}
