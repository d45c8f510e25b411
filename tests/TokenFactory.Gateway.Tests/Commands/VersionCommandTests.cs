using TokenFactory.Gateway.Commands;
using Xunit;

namespace TokenFactory.Gateway.Tests.Commands;

public sealed class VersionCommandTests
{
    [Fact]
    public void Version_names_product_commit_runtime_and_encodings()
    {
        using var output = new StringWriter();

        VersionCommand.Print(output, ProductVersion.Parse("1.2.0-rc.1+4f2a9c"));

        var text = output.ToString();
        Assert.Contains("1.2.0-rc.1", text, StringComparison.Ordinal);
        Assert.Contains("4f2a9c", text, StringComparison.Ordinal);
        Assert.Contains(".NET 10", text, StringComparison.Ordinal);
        Assert.Contains("o200k_base", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_build_without_a_commit_says_so()
    {
        Assert.Equal(new ProductVersion("1.2.0", null), ProductVersion.Parse("1.2.0"));
    }
}
