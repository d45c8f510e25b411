using Polly;
using Polly.CircuitBreaker;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Storage.Journal;
using Outcome = TokenFactory.Storage.Ledger.Outcome;

namespace TokenFactory.Inference.Dispatch.Standing;

/// <summary>
/// Whether a deployment may be asked now: not while it rests (it said that its quota is spent or that it is overloaded, or too many of its answers
/// were of no use), and not while its circuit is open (it kept failing); of those that wait for an open circuit, one at a time tries.
/// </summary>
internal sealed class DeploymentStanding
{
    private static readonly TimeSpan _firstOwnRest = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _longestOwnRest = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan _heardLate = TimeSpan.FromMilliseconds(500);

    private readonly Deployment _settings;
    private readonly TimeProvider _clock;
    private readonly Random _random;
    private readonly Action<string, TimeSpan> _told;
    private readonly CircuitBreakerStateProvider _circuitState = new();
    private readonly ResiliencePipeline<Failure?>? _circuit;
    private readonly ResiliencePipeline<bool>? _quality;
    private readonly RetryAllowance? _retries;
    private Pass? _pass;
    private int _refusals;

    /// <param name="told">Hears the reason and length of each new pass.</param>
    public DeploymentStanding(Deployment settings, TimeProvider clock, Random random, Action<string, TimeSpan> told)
    {
        (_settings, _clock, _random, _told) = (settings, clock, random, told);
        _circuit = settings.Circuit is { } circuit ? Build(circuit) : null;
        _quality = settings.LowQuality is { } quality ? Build(quality) : null;
        _retries = settings.RetryBudget is { } budget && !settings.Provider.IsInside ? new RetryAllowance(budget, clock) : null;
    }

    public bool Fits(Deployment settings) => settings.Circuit == _settings.Circuit && settings.LowQuality == _settings.LowQuality && settings.MaxRest == _settings.MaxRest && settings.RetryBudget == _settings.RetryBudget;

    /// <summary>Why it is passed over now, and for how long still; null when it may be asked.</summary>
    public (string Reason, TimeSpan Left)? PassedOver =>
        Volatile.Read(ref _pass) is { } pass && pass.Length - _clock.GetElapsedTime(pass.Since) is var left && left > TimeSpan.Zero ? (pass.Reason, left) : null;

    /// <summary>Whether it may be given a request; one that failed elsewhere only while its budget for those lasts.</summary>
    public bool MayTake(bool isRetry)
    {
        if (isRetry)
        {
            return _retries?.TryRetry() ?? true;
        }

        _retries?.First();
        return true;
    }

    /// <summary>Asks it, and learns from how that went.</summary>
    /// <returns>False when another request is trying the open circuit just now.</returns>
    public async ValueTask<(bool Asked, Failure? Failure)> TryAsync<TState>(Func<TState, Task<Failure?>> attempt, TState state)
    {
        if (_circuit is null)
        {
            return (true, await attempt(state));
        }

        if (_circuitState.CircuitState == CircuitState.Closed)
        {
            // Nearly always. The circuit has nothing to decide and need not stand around the whole attempt: it is told how that went.
            var failure = await attempt(state);
            Learn(_circuit, failure);
            return (true, failure);
        }

        try
        {
            return (true, await _circuit.ExecuteAsync(static async (call, _) => await call.attempt(call.state), (attempt, state), CancellationToken.None));
        }
        catch (BrokenCircuitException)
        {
            return (false, null);
        }
    }

    /// <summary>It turned a request away.</summary>
    /// <param name="reason">One of <see cref="Skip"/>'s.</param>
    /// <param name="asked">For how long it asks to be left alone; null when it does not say.</param>
    public void Rest(string reason, TimeSpan? asked)
    {
        var own = Math.Min(_longestOwnRest.TotalSeconds, _firstOwnRest.TotalSeconds * Math.Pow(2, Math.Min(Interlocked.Increment(ref _refusals) - 1, 10)));
        var length = asked ?? TimeSpan.FromSeconds(own * (0.5 + _random.NextDouble() / 2));
        PassOver(reason, length < _settings.MaxRest ? length : _settings.MaxRest);
    }

    /// <summary>Another replica was turned away.</summary>
    public void Hear(string reason, TimeSpan left)
    {
        var length = left < _settings.MaxRest ? left : _settings.MaxRest;

        // A rest of one's own comes back a little shorter, and is no news.
        if (length > TimeSpan.Zero && !(PassedOver?.Left + _heardLate >= length))
        {
            Volatile.Write(ref _pass, new Pass(reason, length, _clock.GetTimestamp()));
        }
    }

    /// <summary>It took a request.</summary>
    public void Took() => Volatile.Write(ref _refusals, 0);

    /// <summary>It answered, and somebody judged of what use that is.</summary>
    public void Answered(bool isLow)
    {
        try
        {
            _quality?.Execute(static low => low, isLow);
        }
        catch (BrokenCircuitException)
        {
            // It was asked before it was passed over, or with the one whose answer decides: that one is heard.
        }
    }

    /// <summary>What began before the circuit opened decides nothing of when it closes.</summary>
    private void Learn(ResiliencePipeline<Failure?> circuit, Failure? failure)
    {
        if (_circuitState.CircuitState != CircuitState.Closed)
        {
            return;
        }

        try
        {
            circuit.Execute(static known => known, failure);
        }
        catch (BrokenCircuitException)
        {
            // It opened in between.
        }
    }

    private void PassOver(string reason, TimeSpan length)
    {
        if (length <= TimeSpan.Zero || PassedOver?.Left >= length)
        {
            return;
        }

        Volatile.Write(ref _pass, new Pass(reason, length, _clock.GetTimestamp()));
        _told(reason, length);
    }

    private ResiliencePipeline<Failure?> Build(Circuit circuit) => new ResiliencePipelineBuilder<Failure?> { TimeProvider = _clock }
        .AddCircuitBreaker(new CircuitBreakerStrategyOptions<Failure?>
        {
            StateProvider = _circuitState,
            FailureRatio = circuit.FailureRatio,
            MinimumThroughput = circuit.MinimumAttempts,
            SamplingDuration = circuit.Window,
            BreakDuration = circuit.Open,
            BreakDurationGenerator = arguments => ValueTask.FromResult(OpenFor(circuit, arguments.HalfOpenAttempts)),
            ShouldHandle = static arguments => ValueTask.FromResult(Counts(arguments.Outcome.Result)),
            OnOpened = arguments =>
            {
                PassOver(Skip.CircuitOpen, arguments.BreakDuration);
                return ValueTask.CompletedTask;
            },
        })
        .Build();

    private ResiliencePipeline<bool> Build(LowQuality quality) => new ResiliencePipelineBuilder<bool> { TimeProvider = _clock }
        .AddCircuitBreaker(new CircuitBreakerStrategyOptions<bool>
        {
            FailureRatio = quality.Ratio,
            MinimumThroughput = quality.MinimumAnswers,
            SamplingDuration = quality.Window,
            BreakDuration = quality.Rest,
            ShouldHandle = static arguments => ValueTask.FromResult(arguments.Outcome.Result),
            OnOpened = arguments =>
            {
                PassOver(Skip.LowQuality, arguments.BreakDuration);
                return ValueTask.CompletedTask;
            },
        })
        .Build();

    /// <summary>Replicas must not all try in the same instant.</summary>
    private TimeSpan OpenFor(Circuit circuit, int tries)
    {
        var longest = Math.Min(circuit.LongestOpen.TotalSeconds, circuit.Open.TotalSeconds * Math.Pow(2, Math.Min(tries, 10)));
        return TimeSpan.FromSeconds(longest * (0.8 + _random.NextDouble() / 5));
    }

    /// <summary>What says something of the deployment: not a client that went away, this gateway's own trouble, or a quota, which has its own rest.</summary>
    private static bool Counts(Failure? failure) =>
        failure is { Outcome: Outcome.Failed or Outcome.TimedOut or Outcome.BackendCut, Error.Status: >= 500 or 408 }
        && !failure.Error.IsOwn;

    private sealed record Pass(string Reason, TimeSpan Length, long Since);
}
