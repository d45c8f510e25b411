using System.Collections.Frozen;
using System.Text.Json;

namespace TokenFactory.Inference.Policy;

/// <summary>
/// Reads a decision endpoint's answer, <c>{"result": …}</c> as OPA's data API gives it (docs/operations/policy.md). Whatever is not
/// understood is no answer: a member that was misspelt would otherwise be a yes.
/// </summary>
internal static class ExternalAnswerReader
{
    private const int MostReasons = 32;
    private const int MostNames = 1000;
    private const int LongestText = 128;

    private static readonly JsonDocumentOptions _strict = new() { MaxDepth = 16, AllowDuplicateProperties = false };

    public static ExternalAnswer Read(string origin, ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body, _strict);
            return Read(origin, document.RootElement);
        }
        catch (Exception unreadable) when (unreadable is JsonException or FormatException or InvalidOperationException)
        {
            return new ExternalAnswer(origin, ExternalOutcome.Unreadable);
        }
    }

    private static ExternalAnswer Read(string origin, JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw new FormatException("an answer is an object");
        }

        // With decision logs OPA names its decision beside the result; a rule may name one inside.
        var id = Member(root, "decision_id") is { } logged ? Text(logged) : null;
        if (Member(root, "result") is not { } result)
        {
            return new ExternalAnswer(origin, ExternalOutcome.Undefined) { DecisionId = id };
        }

        if (result.ValueKind is JsonValueKind.True or JsonValueKind.False)
        {
            return result.GetBoolean()
                ? new ExternalAnswer(origin, ExternalOutcome.Allowed) { DecisionId = id }
                : new ExternalAnswer(origin, ExternalOutcome.Denied) { DecisionId = id, Reasons = [ExternalAnswer.Denied] };
        }

        if (result.ValueKind != JsonValueKind.Object)
        {
            throw new FormatException("a result is true, false or an object");
        }

        id = Member(result, "decision_id") is { } own ? Text(own) : id;
        var allowed = Member(result, "allow") is { } allow && Flag(allow);
        var reasons = Member(result, "deny") is { } deny ? Texts(deny, MostReasons) : [];
        var answer = Restricted(origin, Member(result, "restrict")) with { DecisionId = id };
        return allowed && reasons.Count == 0
            ? answer
            : new ExternalAnswer(origin, ExternalOutcome.Denied) { DecisionId = id, Reasons = reasons.Count == 0 ? [ExternalAnswer.Denied] : reasons };
    }

    private static ExternalAnswer Restricted(string origin, JsonElement? restrict)
    {
        if (restrict is not { } lists)
        {
            return new ExternalAnswer(origin, ExternalOutcome.Allowed);
        }

        var answer = new ExternalAnswer(origin, ExternalOutcome.Restricted);
        if (lists.ValueKind != JsonValueKind.Object)
        {
            throw new FormatException("restrict is an object");
        }

        foreach (var list in lists.EnumerateObject())
        {
            var names = Texts(list.Value, MostNames).ToFrozenSet(StringComparer.Ordinal);
            answer = list.Name switch
            {
                "providers" => answer with { Providers = names },
                "regions" => answer with { Regions = names },
                "deployments" => answer with { Deployments = names },
                "models" => answer with { Models = names },
                _ => throw new FormatException("restrict has providers, regions, deployments and models"),
            };
        }

        return answer;
    }

    /// <summary>A null restriction is no word of what it should have been.</summary>
    private static JsonElement? Member(JsonElement of, string name) => !of.TryGetProperty(name, out var member) ? null
        : member.ValueKind != JsonValueKind.Null ? member
        : name is "deny" or "restrict" ? throw new FormatException($"{name} is null")
        : null;

    private static bool Flag(JsonElement element) => element.ValueKind is JsonValueKind.True or JsonValueKind.False ? element.GetBoolean() : throw new FormatException("allow is true or false");

    private static List<string> Texts(JsonElement element, int most) =>
        element.ValueKind == JsonValueKind.Array && element.GetArrayLength() <= most ? [.. element.EnumerateArray().Select(Text).Distinct(StringComparer.Ordinal)] : throw new FormatException("a list of texts");

    /// <summary>What callers and evidence are told is short, and on one line.</summary>
    private static string Text(JsonElement element) =>
        element.ValueKind == JsonValueKind.String && element.GetString() is { Length: > 0 and <= LongestText } text && !text.Any(char.IsControl) ? text : throw new FormatException("a short text");
}
