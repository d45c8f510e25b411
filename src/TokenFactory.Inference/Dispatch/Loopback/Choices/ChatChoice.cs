using System.Text.Json;

namespace TokenFactory.Inference.Dispatch.Loopback.Choices;

internal sealed class ChatChoice(Echo echo) : IChoice
{
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject("message"u8);
        json.WriteString("role"u8, "assistant"u8);
        json.WriteString("content"u8, echo.Text);
        json.WriteNull("refusal"u8);
        json.WriteEndObject();
        json.WriteNull("logprobs"u8);
        json.WriteString("finish_reason"u8, echo.FinishReason);
    }

    public IEnumerable<Action<Utf8JsonWriter>> Steps()
    {
        yield return json => WriteDelta(json, "", opens: true);
        foreach (var piece in echo.Pieces)
        {
            yield return json => WriteDelta(json, piece, opens: false);
        }

        yield return json =>
        {
            json.WriteStartObject("delta"u8);
            json.WriteEndObject();
            json.WriteNull("logprobs"u8);
            json.WriteString("finish_reason"u8, echo.FinishReason);
        };
    }

    private static void WriteDelta(Utf8JsonWriter json, string content, bool opens)
    {
        json.WriteStartObject("delta"u8);
        if (opens)
        {
            json.WriteString("role"u8, "assistant"u8);
        }

        json.WriteString("content"u8, content);
        json.WriteEndObject();
        json.WriteNull("logprobs"u8);
        json.WriteNull("finish_reason"u8);
    }
}
