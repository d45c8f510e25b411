namespace TokenFactory.Gateway.Commands;

/// <summary>What a shadow bundle would have changed, as <c>gateway admin explain</c> tells it to people.</summary>
internal static class ShadowText
{
    public static string Line(string bundle, string outcome, string reasons, string admitted)
    {
        var what = outcome switch
        {
            "would_deny" => "would refuse it",
            "would_allow" => "would let it through",
            "would_restrict" => "would leave out more",
            "would_widen" => "would leave out less",
            _ => "would change nothing",
        };
        return $"shadow bundle {bundle} {what}{(reasons.Length > 0 ? $": {reasons}" : "")}{(admitted.Length > 0 ? $"; no longer left out: {admitted}" : "")}";
    }

    public static string Excluded(IReadOnlyList<string[]> rows) => "it would leave out in addition:" + Environment.NewLine + TextTable.Of(["deployment", "reason", "rule"], rows);
}
