namespace TokenFactory.Inference.ReadModel;

/// <summary>Regions are dash-separated paths from the wide to the narrow: <c>eu</c> covers <c>eu-west-1</c>, and not <c>europe</c>.</summary>
internal static class Region
{
    /// <summary>A deployment that does not say where it runs is covered by no region (P6).</summary>
    public static bool Covers(string wide, string? narrow) =>
        narrow is not null
        && narrow.StartsWith(wide, StringComparison.OrdinalIgnoreCase)
        && (narrow.Length == wide.Length || narrow[wide.Length] == '-');
}
