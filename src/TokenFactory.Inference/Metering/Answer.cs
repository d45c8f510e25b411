using TokenFactory.Inference.Dialects;

namespace TokenFactory.Inference.Metering;

/// <summary>One attempt's answer as it arrives: what of it may go on, what it says of usage, and what is held back for the end.</summary>
internal abstract class Answer : IDisposable
{
    /// <summary>The backend's own count; null when it gave none that can be believed.</summary>
    public abstract ReportedUsage? Usage { get; }

    /// <summary>What the backend had said of the input alone when its stream was cut; null when the output is known too, or nothing is.</summary>
    public abstract ReportedUsage? InputUsage { get; }

    /// <summary>Why it finished, in the client's dialect, and whose it says it is.</summary>
    public abstract (string? FinishReason, string? Model, string? Fingerprint) Said { get; }

    /// <summary>It said something: text, reasoning or a tool call.</summary>
    public abstract bool SawContent { get; }

    /// <summary>Takes the next bytes of the backend. Throws <see cref="BackendFaultException"/> when they show that no honest answer follows.</summary>
    public abstract ValueTask TakeAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel);

    /// <summary>Looks at the whole after its end; the failure of an answer that is not what it claims to be, else null.</summary>
    public abstract Failure? Conclude();

    /// <summary>Whether the last byte that went out lies inside an event, which an error event must not run into.</summary>
    public virtual bool IsInsideEvent => false;

    /// <summary>The number of the event that comes next, in a dialect that numbers them.</summary>
    public virtual long NextSequenceNumber => 0;

    /// <summary>Sends what was held back. Called once, after the settlement is durable.</summary>
    public abstract ValueTask ReleaseAsync();

    /// <summary>Our own count of the output that was delivered, or that would be by <see cref="ReleaseAsync"/>.</summary>
    public abstract long CountOutput();

    public abstract void Dispose();
}
