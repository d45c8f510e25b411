using System.Text.Json;
using TokenFactory.TestKit.Upstream.Steps;

namespace TokenFactory.TestKit.Upstream;

/// <summary>What a healthy backend would answer: the pieces in order (each a word), and why it stopped.</summary>
internal sealed record HonestAnswer(IReadOnlyList<string> Pieces, string Finish)
{
    public string Text => string.Concat(Pieces);

    public int Tokens => Pieces.Sum(UpstreamAsk.CountWords);

    public static HonestAnswer To(Play play)
    {
        var ask = play.Ask;
        if (ask.Tool is not null)
        {
            return new HonestAnswer(["{\"text\":", " " + JsonSerializer.Serialize(ask.LastUserText), "}"], "tool_calls");
        }

        return Of(play.Upstream.Answer(ask), ask.MaxTokens);
    }

    public static HonestAnswer Of(string text, int? maxTokens = null)
    {
        var words = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        var kept = Math.Min(words.Length, maxTokens ?? int.MaxValue);
        var pieces = words.Take(kept).Select((word, index) => index == 0 ? word : " " + word).ToList();
        return new HonestAnswer(pieces, kept < words.Length ? "length" : "stop");
    }
}
