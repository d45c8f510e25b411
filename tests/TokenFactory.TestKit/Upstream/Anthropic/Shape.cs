using System.Text.Json;

namespace TokenFactory.TestKit.Upstream.Anthropic;

internal static class Shape
{
    /// <summary>Members of an object that its kind does not have.</summary>
    public static IEnumerable<string> Extras(JsonElement element, string path, params string[] allowed)
        => element.EnumerateObject().Where(member => !allowed.Contains(member.Name)).Select(member => $"{path}{member.Name}: Extra inputs are not permitted");
}
