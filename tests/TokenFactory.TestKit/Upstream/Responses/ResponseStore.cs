using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using TokenFactory.TestKit.Upstream.Steps;

namespace TokenFactory.TestKit.Upstream.Responses;

/// <summary>What the backend keeps of the responses that it gave, and shows and deletes as OpenAI's service does.</summary>
internal sealed class ResponseStore
{
    private const string Root = "/v1/responses/";

    private readonly ConcurrentDictionary<string, Play> _plays = new();

    public void Keep(Play play) => _plays[play.Id] = play;

    public bool Has(string id) => _plays.ContainsKey(id);

    /// <summary>Earlier turns are input again, and only who kept them can count them.</summary>
    public int TokensOf(string id) => _plays.TryGetValue(id, out var play) ? play.Request.PromptTokens : 0;

    /// <returns>Null when the path is not about a kept response.</returns>
    public Script? Page(HttpRequest request)
    {
        var path = request.Path.Value ?? "";
        if (!path.StartsWith(Root, StringComparison.Ordinal))
        {
            return null;
        }

        var (id, tail) = path[Root.Length..].Split('/', 2) is [var first, var rest] ? (first, rest) : (path[Root.Length..], "");
        if (!_plays.TryGetValue(id, out var play))
        {
            return Backend.Error(404, $"Response with id '{id}' not found.", "invalid_request_error", null);
        }

        switch (request.Method, tail)
        {
            case ("GET", ""):
                var answer = HonestAnswer.To(play);
                return Script.Json(200, Encoding.UTF8.GetString(ResponseJson.Whole(play, answer, new UpstreamUsage(play.Request.PromptTokens, answer.Tokens)).Span)).Named("honest");
            case ("DELETE", ""):
                _plays.TryRemove(id, out _);
                return Script.Json(200, JsonSerializer.Serialize(new { id, @object = "response", deleted = true })).Named("honest");
            case ("GET", "input_items"):
                var item = $"msg_in_{play.Request.Number}";
                return Script.Json(200, JsonSerializer.Serialize(new
                {
                    @object = "list",
                    data = new[] { new { id = item, type = "message", status = "completed", role = "user", content = new[] { new { type = "input_text", text = play.Ask.LastUserText } } } },
                    first_id = item,
                    last_id = item,
                    has_more = false,
                })).Named("honest");
            default:
                return Backend.Error(405, $"Not allowed to {request.Method} on {path}.", "invalid_request_error", "method_not_supported");
        }
    }
}
