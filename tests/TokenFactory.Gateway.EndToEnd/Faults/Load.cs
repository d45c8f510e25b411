using System.Collections.Concurrent;

namespace TokenFactory.Gateway.EndToEnd.Faults;

/// <summary>Many clients calling as fast as they are answered, each seeded, until they are told to stop.</summary>
internal sealed class Load(int workers, int seed, Func<Random, Plan> next)
{
    private readonly ConcurrentQueue<Call> _calls = new();

    public IReadOnlyList<Call> Calls => [.. _calls];

    /// <summary>Runs until the token says so, or so many calls were made; the calls in flight then end by themselves.</summary>
    public Task RunAsync(HttpClient client, CancellationToken stop, int most = int.MaxValue)
    {
        var left = most;
        return Task.WhenAll(Enumerable.Range(0, workers).Select(async worker =>
        {
            var random = new Random(HashCode.Combine(seed, worker));
            await Task.Yield();
            while (!stop.IsCancellationRequested && Interlocked.Decrement(ref left) >= 0)
            {
                var call = await Caller.MakeAsync(client, next(random));
                _calls.Enqueue(call);
                if (call.Status is 0 && !call.HungUp)
                {
                    // Nobody listens: calling on at once would only burn the processor the gateway starts on.
                    await Task.Delay(50, CancellationToken.None);
                }
            }
        }));
    }
}
