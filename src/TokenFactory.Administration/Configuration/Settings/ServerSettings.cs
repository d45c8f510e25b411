namespace TokenFactory.Administration.Configuration.Settings;

public sealed record ServerSettings
{
    /// <summary>Empty when neither the file nor the environment names any: <c>--urls</c> or the default decides.</summary>
    public required IReadOnlyList<Uri> Urls { get; init; }

    /// <summary>The largest request body.</summary>
    public required long BodyLimitBytes { get; init; }

    /// <summary>All request bodies, and what is held of answers, in memory at once; null is derived from the memory the process may use.</summary>
    public required long? BodyBudgetBytes { get; init; }

    /// <summary>The deepest nesting of a request's JSON.</summary>
    public required int MaxDepth { get; init; }

    /// <summary>How often a silent stream gets a comment.</summary>
    public required TimeSpan KeepAlive { get; init; }

    /// <summary>How long an unready replica goes on accepting requests after SIGTERM, while load balancers notice; zero by default.</summary>
    public required TimeSpan DrainDelay { get; init; }

    /// <summary>How long running requests may take to finish at shutdown, after the delay.</summary>
    public required TimeSpan Drain { get; init; }
}
