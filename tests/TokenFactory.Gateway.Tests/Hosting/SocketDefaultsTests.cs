using TokenFactory.Gateway.Hosting;
using Xunit;

namespace TokenFactory.Gateway.Tests.Hosting;

public sealed class SocketDefaultsTests : IDisposable
{
    private readonly string? _before = Environment.GetEnvironmentVariable(SocketDefaults.InlineCompletions);

    public void Dispose() => Environment.SetEnvironmentVariable(SocketDefaults.InlineCompletions, _before);

    [Fact]
    public void Completions_run_inline_unless_somebody_said_otherwise()
    {
        Environment.SetEnvironmentVariable(SocketDefaults.InlineCompletions, null);

        SocketDefaults.Apply();

        Assert.Equal("1", Environment.GetEnvironmentVariable(SocketDefaults.InlineCompletions));
    }

    [Fact]
    public void The_operators_value_stands()
    {
        Environment.SetEnvironmentVariable(SocketDefaults.InlineCompletions, "0");

        SocketDefaults.Apply();

        Assert.Equal("0", Environment.GetEnvironmentVariable(SocketDefaults.InlineCompletions));
    }
}
