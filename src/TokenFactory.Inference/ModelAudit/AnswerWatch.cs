using System.Collections.Concurrent;
using TokenFactory.Inference.Metering;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Inference.ModelAudit;

/// <summary>
/// Notes what each attempt told of its deployment, at the request's end. Needs Attempts and Usage; leaves nothing, waits for nothing and
/// never fails a request.
/// </summary>
internal sealed class AnswerWatch
{
    private readonly ConcurrentDictionary<string, DeploymentWatch> _watches = new(StringComparer.Ordinal);

    public IEnumerable<DeploymentWatch> All => _watches.Select(static one => one.Value);

    public void Saw(Exchange exchange)
    {
        var attempts = exchange.Attempts;
        for (var index = 0; index < attempts.Count; index++)
        {
            var attempt = attempts[index];
            if (!exchange.Snapshot.Registry.Deployments.TryGetValue(attempt.Deployment, out var deployment) || deployment.Provider.IsInside)
            {
                continue;
            }

            var end = AnswerEnds.Of(exchange, attempt, isLast: index == attempts.Count - 1);
            if (end != AnswerEnd.Unsaid)
            {
                Of(deployment, exchange.Snapshot.Version)?.Add(end == AnswerEnd.Answered ? Answered(exchange, attempt) : new AnswerSample(end, attempt.Duration));
            }
        }
    }

    /// <summary>It is not configured any more. Requests that were begun before may bring it back until it is forgotten again.</summary>
    public void Forget(string deployment) => _watches.TryRemove(deployment, out _);

    /// <returns>Null for a request that was begun under a configuration which is not in force any more.</returns>
    public DeploymentWatch? Of(Deployment deployment, long version)
    {
        if (!_watches.TryGetValue(deployment.Name, out var watch))
        {
            watch = _watches.GetOrAdd(deployment.Name, static (_, made) => new DeploymentWatch(made.deployment, made.version), (deployment, version));
        }

        if (watch.IsOf(deployment))
        {
            return watch;
        }

        if (version <= watch.Version)
        {
            return null;
        }

        var anew = new DeploymentWatch(deployment, version);
        return _watches.TryUpdate(deployment.Name, anew, watch) ? anew : null;
    }

    private static AnswerSample Answered(Exchange exchange, Attempt attempt)
    {
        var (reason, model, fingerprint) = exchange.Answer.Answer?.Said ?? default;
        var isStream = exchange.Head is { IsEventStream: true };
        var tokens = exchange.Usage.Tokens;
        return new AnswerSample(reason is not null && AnswerEnds.IsRefusal(reason) ? AnswerEnd.Refused : AnswerEnd.Answered, attempt.Duration)
        {
            IsStream = isStream,
            EndedByItself = AnswerEnds.IsOwnEnd(reason),
            Input = tokens.InputUncached + tokens.CacheWrite,
            Output = exchange.Operation is not (Operations.Embeddings or Operations.Responses) && exchange.Usage.Evidence is Evidence.Reported or Evidence.Counted ? tokens.Output : null,
            Choices = (int)Math.Clamp(exchange.Ask.Choices, 1, int.MaxValue),

            // The first event of a response is sent before its first token, and its end says nothing of who ended it.
            FirstByte = isStream && exchange.Operation != Operations.Responses ? exchange.FirstByteAfter : null,
            Model = model,
            Fingerprint = fingerprint,
        };
    }
}
