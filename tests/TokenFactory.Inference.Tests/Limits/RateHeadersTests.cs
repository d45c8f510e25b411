using Microsoft.AspNetCore.Http;
using TokenFactory.Inference.Limits;
using Xunit;

namespace TokenFactory.Inference.Tests.Limits;

public sealed class RateHeadersTests
{
    [Fact]
    public void The_tightest_bucket_of_each_rate_speaks_and_budgets_stay_silent()
    {
        var headers = new HeaderDictionary();

        RateHeaders.Write(headers, [
            new(new("tenant", Dimension.RequestsPerMinute, 600), 590, TimeSpan.FromSeconds(1)),
            new(new("key:ci", Dimension.RequestsPerMinute, 60), 59, TimeSpan.FromSeconds(6.2)),
            new(new("tenant", Dimension.TokensPerMinute, 1000), 10, TimeSpan.FromSeconds(90)),
            new(new("tenant", Dimension.Concurrent, 3), 2, TimeSpan.Zero),
            new(new("tenant", Dimension.TokensPerMonth, 5), 1, TimeSpan.FromDays(3)),
        ]);

        Assert.Equal(
            new Dictionary<string, string>
            {
                ["x-ratelimit-limit-requests"] = "60",
                ["x-ratelimit-remaining-requests"] = "59",
                ["x-ratelimit-reset-requests"] = "6.2s",
                ["x-ratelimit-limit-tokens"] = "1000",
                ["x-ratelimit-remaining-tokens"] = "10",
                ["x-ratelimit-reset-tokens"] = "1m30s",
            },
            headers.ToDictionary(header => header.Key, header => header.Value.ToString()));
    }

    [Theory]
    [InlineData(0, "0s")]
    [InlineData(0.2, "1ms")]
    [InlineData(12, "12ms")]
    [InlineData(999, "999ms")]
    [InlineData(1000, "1s")]
    [InlineData(6200, "6.2s")]
    [InlineData(59_999, "59.999s")]
    [InlineData(90_000, "1m30s")]
    [InlineData(360_000, "6m0s")]
    [InlineData(3_600_500, "1h0m0.5s")]
    public void Durations_read_as_Go_prints_them(double milliseconds, string expected) =>
        Assert.Equal(expected, RateHeaders.Duration(TimeSpan.FromMilliseconds(milliseconds)));
}
