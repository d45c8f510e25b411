using System.Text;
using TokenFactory.Administration.Configuration;
using TokenFactory.Inference.ReadModel.Keys;

namespace TokenFactory.Administration.Iam;

/// <summary>
/// An installation's peppers, told apart without being shown: a mark is what the pepper makes of a fixed text, as it makes digests of
/// keys. Keys that are moved to another installation work there if their pepper's mark is the same.
/// </summary>
public static class PepperMarks
{
    private const string Text = "tokenfactory pepper mark";
    private const int Length = 16;

    /// <returns>By version; empty when the installation has none yet. None is made.</returns>
    /// <exception cref="InvalidDataException">The pepper file is damaged.</exception>
    public static IReadOnlyDictionary<string, string> Of(GatewayConfiguration configuration, string dataDirectory)
    {
        IEnumerable<Pepper> peppers = configuration.Iam.Peppers.Count > 0 ? configuration.Iam.Peppers
            : PepperFile.Find(dataDirectory) is { } file ? [file]
            : [];
        return peppers.ToDictionary(static pepper => pepper.Version, MarkOf, StringComparer.Ordinal);
    }

    /// <returns>The versions that are missing here or are another pepper.</returns>
    public static IReadOnlyList<string> Missing(IReadOnlyDictionary<string, string> needed, IReadOnlyDictionary<string, string> here) =>
        [.. needed.Where(one => here.GetValueOrDefault(one.Key) != one.Value).Select(static one => one.Key).Order(StringComparer.Ordinal)];

    private static string MarkOf(Pepper pepper) => Convert.ToHexStringLower(pepper.Digest(Encoding.ASCII.GetBytes(Text)).ToBytes())[..Length];
}
