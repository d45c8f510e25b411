namespace TokenFactory.Gateway.Hosting;

/// <summary>What the command line of <c>serve</c> said.</summary>
internal sealed record ServeOptions
{
    public FileInfo? ConfigFile { get; init; }

    public required DirectoryInfo DataDirectory { get; init; }

    /// <summary>Empty leaves it to the configuration.</summary>
    public required IReadOnlyList<string> Urls { get; init; }

    public Uri? Upstream { get; init; }

    public string? UpstreamKeyVariable { get; init; }

    public string? UpstreamRegion { get; init; }
}
