using System.Text.Json;

namespace TokenFactory.Inference.Dispatch.Loopback.Choices;

internal sealed class TextChoice(Echo echo) : IChoice
{
    public void Write(Utf8JsonWriter json) => Write(json, echo.Text, echo.FinishReason);

    public IEnumerable<Action<Utf8JsonWriter>> Steps()
    {
        foreach (var piece in echo.Pieces)
        {
            yield return json => Write(json, piece, null);
        }

        yield return json => Write(json, "", echo.FinishReason);
    }

    private static void Write(Utf8JsonWriter json, string text, string? finishReason)
    {
        json.WriteString("text"u8, text);
        json.WriteNull("logprobs"u8);
        json.WriteString("finish_reason"u8, finishReason);
    }
}
