using System.Reflection;

namespace TokenFactory.Gateway;

/// <summary>The version the build was given, and the commit when the build knew it.</summary>
internal sealed record ProductVersion(string Version, string? Commit)
{
    public static ProductVersion Current { get; } = Parse(
        typeof(ProductVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0.0.0");

    /// <param name="informational">SemVer, with the source revision as build metadata: <c>1.2.0+4f2a…</c>.</param>
    public static ProductVersion Parse(string informational)
    {
        var plus = informational.IndexOf('+', StringComparison.Ordinal);
        return plus < 0 ? new(informational, null) : new(informational[..plus], informational[(plus + 1)..]);
    }
}
