using TokenFactory.Storage.ModelAudit;
using Xunit;

namespace TokenFactory.Storage.Tests.ModelAudit;

public sealed class LogHistogramTests
{
    [Theory]
    [InlineData(0.5, 5000)]
    [InlineData(0.95, 9500)]
    [InlineData(1, 10_000)]
    public void A_quantile_is_at_most_a_twentieth_off(double share, double expected)
    {
        var counted = new LogHistogram();
        for (var value = 1; value <= 10_000; value++)
        {
            counted.Add(value);
        }

        Assert.InRange(counted.Quantile(share)!.Value, expected * 0.95, expected * 1.05);
    }

    [Fact]
    public void What_is_stored_and_added_up_is_what_one_would_have_counted()
    {
        var (one, other, all) = (new LogHistogram(), new LogHistogram(), new LogHistogram());
        foreach (var value in (double[])[0, -1, double.NaN, 0.001, 3, 3.01, 700, 1e300])
        {
            (value > 3 ? one : other).Add(value);
            all.Add(value);
        }

        var read = LogHistogram.Parse(one.ToBytes());
        read.Add(LogHistogram.Parse(other.ToBytes()));

        Assert.Equal(all.ToBytes(), read.ToBytes());
        Assert.Equal(8, read.Count);
        Assert.Null(LogHistogram.Parse([]).Quantile(0.5));
    }

    [Theory]
    [InlineData(new byte[] { 1 })]
    [InlineData(new byte[] { 0, 1 })]
    [InlineData(new byte[] { 0xff, 0x7f, 1 })]
    [InlineData(new byte[] { 1, 0x80 })]
    public void What_no_gateway_wrote_is_refused(byte[] stored) => Assert.Throws<InvalidDataException>(() => LogHistogram.Parse(stored));
}
