using System.Collections.Concurrent;
using System.Diagnostics;
using TokenFactory.TestKit.Data;

namespace TokenFactory.Gateway.EndToEnd.Faults.Matrix;

/// <summary>
/// Steady mixed calls to all replicas in rotation: streams and whole answers, some hung up on, one in five on a budget that runs
/// out. Each caller draws from its own seed and calls again when it was answered, so there is never more than there are callers.
/// </summary>
internal sealed class Traffic(FaultSite site, Book book, int seed)
{
    private const int Callers = 12;

    private readonly ConcurrentQueue<Sent> _sent = new();
    private readonly ConcurrentDictionary<(Replica, string), HttpClient> _clients = new();
    private Task _running = Task.CompletedTask;
    private volatile bool _stopping;

    public IReadOnlyList<Sent> Sent => [.. _sent];

    /// <summary>A further key that some callers use, once it is set.</summary>
    public string? OtherKey { get; set; }

    public void Start() => _running = Task.WhenAll(Enumerable.Range(0, Callers).Select(CallAsync));

    /// <summary>No further calls; those in flight end by themselves.</summary>
    public async Task StopAsync()
    {
        _stopping = true;
        await _running.WaitAsync(TimeSpan.FromMinutes(3));
        foreach (var client in _clients.Values)
        {
            client.Dispose();
        }
    }

    /// <summary>Waits until every replica has served some calls that were sent from now on.</summary>
    public async Task ServedByAllAsync(int each)
    {
        foreach (var replica in site.Replicas.Where(one => one.InRotation))
        {
            await UntilAsync(sent => sent.Replica == replica && sent.Call.Whole, each);
        }
    }

    /// <summary>Waits until so many calls of a kind were sent from now on, and have ended.</summary>
    public async Task UntilAsync(Func<Sent, bool> which, int more)
    {
        var since = Stopwatch.GetTimestamp();
        while (_sent.Count(sent => sent.At >= since && which(sent)) < more)
        {
            if (_running.IsFaulted)
            {
                await _running;
            }

            if (Stopwatch.GetElapsedTime(since) > TimeSpan.FromSeconds(120))
            {
                var told = string.Join(", ", _sent.Where(sent => sent.At >= since).GroupBy(sent => (sent.Call.Status, sent.Call.ErrorCode)).Select(group => $"{group.Count()} of {group.Key}"));
                throw new TimeoutException($"What was waited for did not come within two minutes, but: {told}\n{site.Said()}");
            }

            await Task.Delay(20);
        }
    }

    private async Task CallAsync(int caller)
    {
        var random = new Random(HashCode.Combine(seed, caller));
        await Task.Yield();
        while (!_stopping)
        {
            var project = random.Next(5) == 0 ? book.Tight : book.Wide;
            var key = project == book.Wide && random.Next(3) == 0 && OtherKey is { } other ? other : Book.KeyOf(project);
            var plan = Next(random);
            var rotation = site.Replicas.Where(one => one.InRotation).ToArray();
            var replica = rotation[random.Next(rotation.Length)];
            var client = _clients.GetOrAdd((replica, key), static given => given.Item1.NewClient(given.Item2));
            var at = Stopwatch.GetTimestamp();
            var call = await Caller.MakeAsync(client, plan);
            _sent.Enqueue(new Sent(call, replica, key, at, Stopwatch.GetTimestamp()));

            // Steady, and not as fast as it can: the gateways recover on the same processors.
            await Task.Delay(random.Next(10, 60), CancellationToken.None);
        }
    }

    private static Plan Next(Random random)
    {
        var words = random.Next(2, 40);
        var stream = random.Next(3) > 0;
        var plan = new Plan("/v1/chat/completions", random.Next(2) == 0 ? Site.Reporting : Site.Continuous, Some.Words(words), stream, random.Next(2) == 0) { MaxTokens = words + 1 };
        return random.Next(10) switch
        {
            0 => plan with { HangUpAfter = TimeSpan.FromMilliseconds(random.Next(0, 60)) },
            1 => plan with { HangUpAtLine = random.Next(0, 40) },
            _ => plan,
        };
    }
}
