namespace TokenFactory.Storage.Relay;

/// <summary>Makes the configured sinks, or lists every mistake in their configuration at once.</summary>
internal static class Sinks
{
    public static IReadOnlyList<ISink> From(IReadOnlyCollection<SinkOptions> options, string dataDirectory)
    {
        var mistakes = options.SelectMany(Mistakes)
            .Concat(options.GroupBy(one => one.Name).Where(group => group.Count() > 1).Select(group => $"sink {group.Key}: the name is used more than once"))
            .ToArray();
        if (mistakes.Length > 0)
        {
            throw new StorageException("The sinks are not configured right: " + string.Join("; ", mistakes));
        }

        return [.. options.Select(one => From(one, dataDirectory))];
    }

    private static ISink From(SinkOptions options, string dataDirectory) =>
        options.Types is { } types ? new SelectedSink(Made(options, dataDirectory), types) : Made(options, dataDirectory);

    private static ISink Made(SinkOptions options, string dataDirectory) => options.Kind switch
    {
        SinkKind.File => new FileSink(options.Name, Path.Combine(Path.GetFullPath(dataDirectory), options.Path!), options.BatchSize),
        SinkKind.RedisStream => new RedisStreamSink(options),
        SinkKind.RabbitMq => new RabbitSink(options),
        _ => new CloudEventsSink(options, CloudEventsSink.Handler()),
    };

    private static IEnumerable<string> Mistakes(SinkOptions options)
    {
        if (string.IsNullOrWhiteSpace(options.Name))
        {
            yield return "a sink has no name";
        }

        if (options.Kind == SinkKind.File && string.IsNullOrWhiteSpace(options.Path))
        {
            yield return $"sink {options.Name}: a file sink needs a path";
        }

        if (options.Kind == SinkKind.CloudEvents && options.Url is not { IsAbsoluteUri: true, Scheme: "http" or "https" })
        {
            yield return $"sink {options.Name}: a CloudEvents sink needs an absolute http or https url";
        }

        if (options.Kind == SinkKind.RedisStream && (options.Redis is null || string.IsNullOrEmpty(options.Stream)))
        {
            yield return $"sink {options.Name}: a Redis stream sink needs a connection and a stream";
        }

        if (options.Kind == SinkKind.RabbitMq && options.Rabbit is null)
        {
            yield return $"sink {options.Name}: a RabbitMQ sink needs a connection";
        }

        if (options.BatchSize is < 1 or > 10_000)
        {
            yield return $"sink {options.Name}: the batch size must be between 1 and 10000";
        }
    }
}
