using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference.ModelAudit;

/// <summary>
/// The samples of one deployment since somebody last took them. Adding one is a copy under a lock that nobody holds for longer than that; what
/// is beyond the bound is counted and not kept.
/// </summary>
internal sealed class DeploymentWatch(Deployment deployment, long version)
{
    public const int Most = 4096;

    private readonly Lock _adding = new();
    private Deployment _deployment = deployment;
    private AnswerSample[] _samples = new AnswerSample[16];
    private int _count;
    private long _dropped;

    public Deployment Deployment => Volatile.Read(ref _deployment);

    /// <summary>Of the snapshot whose configuration it began with.</summary>
    public long Version => version;

    public void Add(in AnswerSample sample)
    {
        lock (_adding)
        {
            if (_count == _samples.Length)
            {
                if (_count == Most)
                {
                    _dropped++;
                    return;
                }

                Array.Resize(ref _samples, _count * 2);
            }

            _samples[_count++] = sample;
        }
    }

    /// <summary>Takes what there is, and leaves an emptied buffer in its place.</summary>
    public (int Count, long Dropped) Take(ref AnswerSample[] buffer)
    {
        lock (_adding)
        {
            if (_count == 0)
            {
                return (0, 0);
            }

            var taken = (_count, _dropped);
            (buffer, _samples) = (_samples, buffer);
            (_count, _dropped) = (0, 0);
            return taken;
        }
    }

    /// <summary>Whether this is the deployment that is watched: the same model at the same place, whatever else of it was configured anew.</summary>
    public bool IsOf(Deployment other)
    {
        var own = Deployment;
        if (ReferenceEquals(own, other))
        {
            return true;
        }

        if (own.UpstreamModel != other.UpstreamModel || own.Version != other.Version || own.EffectiveRegion != other.EffectiveRegion
            || own.Clocks != other.Clocks || own.StreamsUsage != other.StreamsUsage || own.ContinuousUsage != other.ContinuousUsage
            || own.MaxOutput != other.MaxOutput || own.Operations != other.Operations || own.Provider.Name != other.Provider.Name || own.Provider.Kind != other.Provider.Kind || !own.Endpoints.SequenceEqual(other.Endpoints))
        {
            return false;
        }

        Volatile.Write(ref _deployment, other);
        return true;
    }
}
