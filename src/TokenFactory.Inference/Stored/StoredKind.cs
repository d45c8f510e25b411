using Microsoft.AspNetCore.WebUtilities;
using Microsoft.AspNetCore.Http;

namespace TokenFactory.Inference.Stored;

/// <summary>One of the things that can be asked of a kept response.</summary>
/// <param name="Operation">In records, events and metrics.</param>
/// <param name="Tail">Of the path, after the response's id.</param>
/// <param name="Parameters">Of the query: those that ask for a part, and change neither cost nor place.</param>
/// <param name="NamesResponse">Whether the answer is about a response by its id, and not a list of what it was asked with.</param>
/// <param name="IsJudged">Whether the policy is asked: what was written there comes from there. What it forbids today can still be deleted.</param>
internal sealed record StoredKind(string Operation, HttpMethod Method, string Tail, IReadOnlyList<string> Parameters, bool NamesResponse, bool IsJudged)
{
    public static StoredKind Retrieve { get; } = new("responses.retrieve", HttpMethod.Get, "", ["include", "include[]"], NamesResponse: true, IsJudged: true);

    public static StoredKind InputItems { get; } = new("responses.input_items", HttpMethod.Get, "/input_items", ["after", "before", "include", "include[]", "limit", "order"], NamesResponse: false, IsJudged: true);

    public static StoredKind Delete { get; } = new("responses.delete", HttpMethod.Delete, "", [], NamesResponse: true, IsJudged: false);

    /// <returns>What goes on of the query, written anew; null and why where it asks for what is not served.</returns>
    public string? Query(IQueryCollection asked, out GatewayError? refusal)
    {
        refusal = null;
        var query = "";
        foreach (var (name, values) in asked)
        {
            // Only a response in the background can be streamed later, and none is.
            if (name == "stream" && values is ["false"])
            {
                continue;
            }

            if (!Parameters.Contains(name, StringComparer.Ordinal))
            {
                refusal = GatewayError.Unsupported(name, $"The parameter '{name}' is not supported here. Leave it out.");
                return null;
            }

            foreach (var value in values)
            {
                query = QueryHelpers.AddQueryString(query, name, value ?? "");
            }
        }

        return query;
    }
}
