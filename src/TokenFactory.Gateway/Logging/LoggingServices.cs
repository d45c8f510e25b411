using Microsoft.Extensions.DependencyInjection.Extensions;
using Serilog;
using Serilog.Extensions.Logging;
using TokenFactory.Inference.Metering;

namespace TokenFactory.Gateway.Logging;

internal static class LoggingServices
{
    /// <summary>Replaces every log provider by one that writes to the console from a thread of its own.</summary>
    public static ILoggingBuilder AddGatewayLogging(this ILoggingBuilder logging, LogOptions options)
    {
        var stream = options.ToStandardError ? Console.OpenStandardError() : Console.OpenStandardOutput();
        return logging.AddGatewayLogging(options, stream);
    }

    internal static ILoggingBuilder AddGatewayLogging(this ILoggingBuilder logging, LogOptions options, Stream output)
    {
        logging.ClearProviders();
        logging.Services.RemoveAll<BackgroundLogWriter>();

        var framework = options.Level > LogLevel.Warning ? options.Level : LogLevel.Warning;
        logging.SetMinimumLevel(options.Level);
        logging.AddFilter("Microsoft", framework);
        logging.AddFilter("System", framework);
        logging.AddFilter("Yarp", framework);

        // These print paths, query strings, headers or bodies, the forwarder in the exceptions of broken answers (P8). Hosting.Diagnostics at None has a second effect: while
        // that category is on, ASP.NET Core starts an activity and a log scope for every request, listened to or not (1 kB each).
        logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
        logging.AddFilter("Microsoft.AspNetCore.HttpLogging", LogLevel.None);
        logging.AddFilter("System.Net.Http.HttpClient", LogLevel.None);
        logging.AddFilter("Yarp.ReverseProxy.Forwarder", LogLevel.None);
        logging.Configure(factory => factory.ActivityTrackingOptions = ActivityTrackingOptions.None);

        var writer = new BackgroundLogWriter(
            output, options.Format == LogFormat.Json ? new JsonLogFormatter() : new TextLogFormatter(), options.QueueLimit);
        logging.Services.AddSingleton(writer);

        // Not AddSerilog: it brings a rule of its own that lets everything through, and a provider's rule beats every
        // general one, so that the filters above and the operator's levels would be ignored.
        logging.Services.AddSingleton<ILoggerProvider>(_ =>
            new SerilogLoggerProvider(
                new LoggerConfiguration().MinimumLevel.Verbose().Filter.ByExcluding(entry => entry.Exception is BrokenAnswerException).WriteTo.Sink(writer).CreateLogger(), dispose: true));
        return logging;
    }
}
