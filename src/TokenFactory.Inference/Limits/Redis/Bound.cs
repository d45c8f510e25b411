namespace TokenFactory.Inference.Limits.Redis;

/// <summary>
/// How long Redis may keep a request waiting, in time in which this process ran. A process that got no processor cannot
/// tell a slow server from an answer it has not come to read: a bound that ends late is begun again, a few times, but not past 25 bounds in all.
/// </summary>
internal static class Bound
{
    private const int MostAgain = 5;
    private const int MostBounds = 25;

    /// <exception cref="TimeoutException">Nothing was answered within the bound.</exception>
    public static async Task<T> WithinAsync<T>(Task<T> answer, TimeSpan bound, TimeProvider clock, CancellationToken cancel)
    {
        var began = clock.GetTimestamp();
        for (var again = 0; ; again++)
        {
            var from = clock.GetTimestamp();
            try
            {
                return await answer.WaitAsync(bound, clock, cancel);
            }
            catch (TimeoutException) when (!answer.IsFaulted && (answer.IsCompleted || MayGoOn(again, clock.GetElapsedTime(from), clock.GetElapsedTime(began))))
            {
                // Read now, or waited for once more.
            }
        }

        bool MayGoOn(int again, TimeSpan waited, TimeSpan inAll) => again < MostAgain && waited > bound * 1.5 && inAll < bound * MostBounds;
    }
}
