namespace TokenFactory.Inference.Limits.Redis;

/// <summary>
/// How long Redis may keep a request waiting, in time in which this process ran. A process that got no processor cannot
/// tell a slow server from an answer it has not come to read: a bound that ends late is begun again, a few times.
/// </summary>
internal static class Bound
{
    private const int MostAgain = 5;

    /// <exception cref="TimeoutException">Nothing was answered within the bound.</exception>
    public static async Task<T> WithinAsync<T>(Task<T> answer, TimeSpan bound, TimeProvider clock, CancellationToken cancel)
    {
        for (var again = 0; ; again++)
        {
            var from = clock.GetTimestamp();
            try
            {
                return await answer.WaitAsync(bound, clock, cancel);
            }
            catch (TimeoutException) when (!answer.IsFaulted && (answer.IsCompleted || (again < MostAgain && clock.GetElapsedTime(from) > bound * 1.5)))
            {
                // Read now, or waited for once more.
            }
        }
    }
}
