using System.Globalization;
using TokenFactory.Inference.Dispatch;
using TokenFactory.Storage.Journal;
using Xunit;

namespace TokenFactory.Inference.Tests.Dispatch.Standing;

/// <summary>What backends write when they turn a request away, in the headers of the vendors that write them.</summary>
public sealed class QuotaSignalTests
{
    private static readonly DateTimeOffset _now = new(2026, 11, 20, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("retry-after: 7", 7)]
    [InlineData("retry-after: Fri, 20 Nov 2026 12:00:30 GMT", 30)]
    [InlineData("retry-after: Fri, 20 Nov 2026 11:00:00 GMT", 0)]
    [InlineData("retry-after-ms: 250; retry-after: 1", 0.25)]
    [InlineData("x-ratelimit-remaining-requests: 0; x-ratelimit-reset-requests: 1m30.5s", 90.5)]
    [InlineData("x-ratelimit-remaining-tokens: 0; x-ratelimit-reset-tokens: 12ms", 0.012)]
    [InlineData("x-ratelimit-remaining-tokens: 0; x-ratelimit-reset-tokens: 6m0s", 360)]
    [InlineData("x-ratelimit-remaining-tokens: 0; x-ratelimit-reset-tokens: 59", 59)]
    [InlineData("x-ratelimit-remaining-requests: 0; x-ratelimit-reset-requests: 1s; x-ratelimit-remaining-tokens: 0; x-ratelimit-reset-tokens: 9s", 9)]
    [InlineData("anthropic-ratelimit-tokens-remaining: 0; anthropic-ratelimit-tokens-reset: 2026-11-20T12:00:20Z", 20)]
    public void Quota_aware_the_time_a_backend_asks_for_is_read(string headers, double seconds) => Assert.Equal(TimeSpan.FromSeconds(seconds), RestOf(headers, 429)?.Asked);

    [Theory]
    [InlineData("x-other: 1")]
    [InlineData("retry-after: soon")]
    [InlineData("retry-after-ms: -5")]
    [InlineData("x-ratelimit-remaining-requests: 3; x-ratelimit-reset-requests: 9s")]
    [InlineData("x-ratelimit-remaining-requests: 0; x-ratelimit-reset-requests: whenever")]
    [InlineData("x-ratelimit-remaining-requests: 0; x-ratelimit-reset-requests: 99999999999999999999s")]
    public void What_cannot_be_read_is_not_said(string headers) => Assert.Equal((Skip.QuotaSpent, null), RestOf(headers, 429));

    [Theory]
    [InlineData(429, "x-other: 1", Skip.QuotaSpent)]
    [InlineData(503, "retry-after: 3", Skip.Overloaded)]
    [InlineData(529, "retry-after: 3", Skip.Overloaded)]
    [InlineData(503, "x-other: 1", null)]
    [InlineData(500, "retry-after: 3", null)]
    [InlineData(401, "retry-after: 3", null)]
    public void Quota_aware_a_spent_quota_is_told_from_an_overload_and_both_from_a_failure(int status, string headers, string? reason) => Assert.Equal(reason, RestOf(headers, status)?.Reason);

    private static (string Reason, TimeSpan? Asked)? RestOf(string headers, int status)
    {
        using var response = new HttpResponseMessage((System.Net.HttpStatusCode)status);
        foreach (var header in headers.Split("; "))
        {
            var colon = header.IndexOf(':', StringComparison.Ordinal);
            response.Headers.TryAddWithoutValidation(header[..colon], header[(colon + 1)..].Trim().ToString(CultureInfo.InvariantCulture));
        }

        return BackendRefusal.RestOf(response, _now);
    }
}
