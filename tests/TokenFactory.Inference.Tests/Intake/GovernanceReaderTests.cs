using Microsoft.AspNetCore.Http;
using TokenFactory.Inference.Intake;
using Xunit;

namespace TokenFactory.Inference.Tests.Intake;

/// <summary>P6: a restriction that cannot be read is refused, because passing it over would widen what the caller narrowed.</summary>
public sealed class GovernanceReaderTests
{
    [Fact]
    public void Every_header_is_read()
    {
        var (governance, error) = Read(
            ("x-tf-use-case", "search"), ("x-tf-tier", "tier-2"), ("x-tf-environment", "production"), ("x-tf-user-role", "analyst"), ("x-tf-region", "eu"),
            ("x-tf-classification", "restricted"), ("x-tf-safety-profile", "strict"), ("x-tf-controls", "logging, redaction"));

        Assert.Null(error);
        Assert.Equal(
            ("search", "tier-2", "production", "analyst", "eu", "restricted", "strict", "logging+redaction"),
            (governance!.UseCase, governance.Tier, governance.Environment, governance.UserRole, governance.Region, governance.Classification, governance.SafetyProfile, string.Join('+', governance.Controls)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("eu\u0001")]
    [InlineData(null)]
    public void P6_A_region_that_cannot_be_read_is_refused(string? region)
    {
        var (governance, error) = Read(("x-tf-region", region ?? new string('e', 129)));

        Assert.Null(governance);
        Assert.Equal((400, "x-tf-region"), (error!.Status, error.Param));
    }

    [Fact]
    public void P6_A_region_given_twice_is_refused()
    {
        var headers = new HeaderDictionary { ["x-tf-region"] = new(["eu", "us"]) };

        Assert.Equal(400, GovernanceReader.Read(headers, null).Error!.Status);
    }

    [Fact]
    public void Header_and_metadata_may_say_the_same_and_not_different_things()
    {
        var metadata = new GovernanceReader();
        Assert.Null(metadata.Member(4, "eu"));

        Assert.Equal("eu", GovernanceReader.Read(Headers(("x-tf-region", "eu")), metadata).Governance!.Region);
        Assert.Equal("contradictory_governance", GovernanceReader.Read(Headers(("x-tf-region", "us")), metadata).Error!.Code);
    }

    private static (Governance? Governance, GatewayError? Error) Read(params (string Name, string Value)[] headers) => GovernanceReader.Read(Headers(headers), null);

    private static HeaderDictionary Headers(params (string Name, string Value)[] headers)
    {
        var dictionary = new HeaderDictionary();
        foreach (var (name, value) in headers)
        {
            dictionary[name] = value;
        }

        return dictionary;
    }
}
