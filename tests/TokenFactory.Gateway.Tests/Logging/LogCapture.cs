using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using TokenFactory.Gateway.Logging;

namespace TokenFactory.Gateway.Tests.Logging;

/// <summary>The gateway's logging as composed, written to memory and flushed.</summary>
internal static class LogCapture
{
    public static string[] Lines(LogFormat format, Action<ILogger> act, string category = "Ledger")
    {
        using var output = new MemoryStream();
        using (var services = new ServiceCollection()
            .AddLogging(logging => logging.AddGatewayLogging(new LogOptions { Format = format }, output))
            .BuildServiceProvider())
        {
            act(services.GetRequiredService<ILoggerFactory>().CreateLogger(category));
        }

        return Encoding.UTF8.GetString(output.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
