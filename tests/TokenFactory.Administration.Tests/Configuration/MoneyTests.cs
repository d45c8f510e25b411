using TokenFactory.Administration.Configuration.Reading;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Administration.Tests.Configuration;

public sealed class MoneyTests
{
    [Theory]
    [InlineData("0.15", 150_000_000)]
    [InlineData("0.075", 75_000_000)]
    [InlineData("0.000000001", 1)]
    [InlineData("1.1", 1_100_000_000)]
    [InlineData("10", 10_000_000_000)]
    [InlineData("999999999.999999999", 999_999_999_999_999_999)]
    public void USD_is_exact_nano_USD(string usd, long nanoUsd) => Assert.Equal(nanoUsd, Quantity.NanoUsd(usd));

    [Theory]
    [InlineData("1e-6")]
    [InlineData("-1")]
    [InlineData(".5")]
    [InlineData("1.")]
    [InlineData("0,15")]
    [InlineData("$1")]
    [InlineData("1\n")]
    [InlineData("0.0000000001")]
    public void What_is_not_exact_is_not_understood(string usd) => Assert.Null(Quantity.NanoUsd(usd));

    [Theory]
    [InlineData(0, "0.00")]
    [InlineData(1, "0.000000001")]
    [InlineData(150_000_000, "0.15")]
    [InlineData(1_500_000_000, "1.50")]
    public void Nano_USD_is_shown_as_the_shortest_exact_decimal(long nanoUsd, string usd) => Assert.Equal(usd, Quantity.Usd(nanoUsd));

    [Fact]
    public void A_price_is_named_by_its_numbers()
    {
        var price = PriceOf("{ input: 0.15, cached_input: 0.075, output: 0.60 }");

        Assert.Equal(new Price(price.Id, 150_000_000, 75_000_000, 150_000_000, 600_000_000), price);
        Assert.Equal(price.Id, PriceOf("{ output: 0.6, input: 0.150, cached_input: 0.075 }").Id);
        Assert.NotEqual(price.Id, PriceOf("{ input: 0.15, cached_input: 0.075, output: 0.61 }").Id);
    }

    [Fact]
    public void A_forgotten_output_price_is_a_mistake_and_not_a_gift()
    {
        var mistake = Yaml.OnlyMistake(Yaml.OneBackend.Replace("provider: gpu,", "provider: gpu, usd_per_million: { input: 1 },", StringComparison.Ordinal));

        Assert.Equal("deployments[0].usd_per_million.output", mistake.Path);
    }

    private static Price PriceOf(string yaml) =>
        Yaml.Valid(Yaml.OneBackend.Replace("provider: gpu,", $"provider: gpu, usd_per_million: {yaml},", StringComparison.Ordinal)).Deployments[0].Price;
}
