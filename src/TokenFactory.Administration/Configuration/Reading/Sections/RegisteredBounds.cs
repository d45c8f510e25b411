using System.Net;

namespace TokenFactory.Administration.Configuration.Reading.Sections;

/// <summary>What registered documents may do of what only the file decides.</summary>
/// <param name="Secrets">The references that they may make.</param>
/// <param name="Networks">Where their endpoints may be besides public addresses.</param>
/// <param name="AllowsHttp">Whether their endpoints may be asked in plain text.</param>
internal sealed record RegisteredBounds(IReadOnlySet<string> Secrets, IReadOnlyList<IPNetwork> Networks, bool AllowsHttp)
{
    public static RegisteredBounds None { get; } = new(new HashSet<string>(StringComparer.Ordinal), [], AllowsHttp: false);
}
