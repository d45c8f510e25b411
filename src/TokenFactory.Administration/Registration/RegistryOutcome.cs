namespace TokenFactory.Administration.Registration;

/// <summary>What became of a change.</summary>
/// <param name="Revision">In force once it is read; the one before when nothing had to be changed. 0 when it was refused.</param>
/// <param name="Changed">How many documents are not as they were.</param>
/// <param name="Refusals">Why nothing was written; empty when it was.</param>
public sealed record RegistryOutcome(long Revision, int Changed, IReadOnlyList<string> Refusals)
{
    internal static RegistryOutcome Refused(IEnumerable<string> why) => new(0, 0, [.. why]);
}
