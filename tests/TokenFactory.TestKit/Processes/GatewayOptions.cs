namespace TokenFactory.TestKit.Processes;

public sealed record GatewayOptions
{
    /// <summary>The process's assembly; the gateway's own lies beside every test that references it.</summary>
    public string Program { get; init; } = Path.Combine(AppContext.BaseDirectory, "gateway.dll");

    /// <summary>Further arguments of <c>serve</c>.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>Added to the test's own environment; null removes a variable.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; init; } = new Dictionary<string, string?>();

    /// <summary>The data folder, kept by its owner; without one the process has its own, deleted at dispose.</summary>
    public TempFolder? Data { get; init; }

    public int? Port { get; init; }

    /// <summary>YAML, written to a file for <c>--config</c>.</summary>
    public string? Config { get; init; }

    /// <summary>For <c>--upstream</c>.</summary>
    public Uri? Upstream { get; init; }

    public TimeSpan StartLimit { get; init; } = TimeSpan.FromSeconds(60);

    public TimeSpan StopLimit { get; init; } = TimeSpan.FromSeconds(60);
}
