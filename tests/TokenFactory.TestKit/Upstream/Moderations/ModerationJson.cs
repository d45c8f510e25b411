using TokenFactory.TestKit.Upstream.Steps;

namespace TokenFactory.TestKit.Upstream.Moderations;

/// <summary>Verdicts as OpenAI's service gives them, without a word of usage: a text with the word "forbidden" is flagged as illicit.</summary>
internal static class ModerationJson
{
    private static readonly string[] _categories = ["harassment", "hate", "illicit", "self-harm", "sexual", "violence"];

    public static ReadOnlyMemory<byte> Of(Play play, UpstreamUsage? usage) => CompletionJson.Write(json =>
    {
        json.WriteString("id", play.Id);
        json.WriteString("model", play.Ask.Model);
        json.WriteStartArray("results");
        foreach (var input in play.Ask.Inputs)
        {
            var isFlagged = input.Contains("forbidden", StringComparison.OrdinalIgnoreCase);
            json.WriteStartObject();
            json.WriteBoolean("flagged", isFlagged);
            json.WriteStartObject("categories");
            foreach (var category in _categories)
            {
                json.WriteBoolean(category, isFlagged && category == "illicit");
            }

            json.WriteEndObject();
            json.WriteStartObject("category_scores");
            foreach (var category in _categories)
            {
                json.WriteNumber(category, isFlagged && category == "illicit" ? 0.97 : 0.01);
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        if (usage is not null)
        {
            CompletionJson.WriteUsage(json, usage);
        }
    });
}
