namespace TokenFactory.Storage.Journal;

/// <summary>
/// Watches the last sign of life of other instances by this process' own clock: after an outage of the store every lease has run
/// out, and the living are about to say so.
/// </summary>
internal sealed class SignsOfLife(TimeProvider clock, TimeSpan lease)
{
    private readonly Dictionary<Guid, (DateTimeOffset Beat, long Since)> _watched = [];

    /// <summary>Whether an instance's last sign has stayed the same for a whole lease of watching.</summary>
    public bool AreOver(Guid instance, DateTimeOffset beat)
    {
        if (!_watched.TryGetValue(instance, out var seen) || seen.Beat != beat)
        {
            _watched[instance] = seen = (beat, clock.GetTimestamp());
        }

        return clock.GetElapsedTime(seen.Since) >= lease;
    }

    public void Forget(Guid instance) => _watched.Remove(instance);
}
