namespace TokenFactory.Inference.Dialects;

/// <summary>
/// Turns an answer of the backend's dialect into one of the client's while it arrives. It invents nothing: an answer that is cut, or never
/// says why it finished, is cut in the other dialect too. What the backend says of an error goes through as it came; whoever meters reads it.
/// </summary>
internal abstract class AnswerConverter : IDisposable
{
    /// <summary>Whether the bytes are of the client's dialect already, but for what is replaced in them: then whoever meters finds all of it in them himself.</summary>
    public virtual bool IsClientsDialect => false;

    /// <summary>What the backend has reported, which it may have done before the client's dialect has a place for it; null while it has not.</summary>
    public virtual ReportedUsage? Usage => null;

    /// <summary>What the backend has reported of its input alone; null while it has not, or once it has reported all.</summary>
    public virtual ReportedUsage? InputUsage => null;

    /// <summary>What the next bytes of the backend make; valid until the next call.</summary>
    /// <exception cref="UnreadableAnswerException">They are no answer of the backend's dialect.</exception>
    public abstract ReadOnlyMemory<byte> Feed(ReadOnlySpan<byte> bytes);

    /// <summary>What is left once the backend has closed its answer in order.</summary>
    /// <exception cref="UnreadableAnswerException">It was no answer of the backend's dialect.</exception>
    public abstract ReadOnlyMemory<byte> Complete();

    public abstract void Dispose();
}
