using System.Runtime.InteropServices;
using System.Text.Json;

namespace TokenFactory.Inference.Dialects.ResponsesToOpenAi;

/// <summary>What a response takes over of a chat's answer by name. Its id is the chat's: nobody keeps it, so nobody can go on from it.</summary>
internal static class ResponseId
{
    // They are repeated in every event about the response.
    private const int NameBoundBytes = 256;

    public static string Of(JsonElement answer) => answer.Text("id"u8) is { Length: > 0 and <= NameBoundBytes } id ? $"resp_{id}" : "resp_unnamed";

    /// <summary>A JSON string.</summary>
    public static byte[] ModelOf(JsonElement answer) => Raw(answer.Get("model"u8));

    /// <summary>A call, with as much of its arguments as is said at once.</summary>
    public static AnswerItem Call(JsonElement call, int index, string responseId)
    {
        var function = call.Get("function"u8);
        var item = new AnswerItem(ItemKind.Call, index, responseId) { CallId = Raw(call.Get("id"u8)), Name = Raw(function?.Get("name"u8)) };
        item.Append(Arguments(function));
        return item;
    }

    /// <summary>The inside of a JSON string; some servers do not write arguments as one.</summary>
    public static byte[] Arguments(JsonElement? function) => function?.Get("arguments"u8) switch
    {
        { ValueKind: JsonValueKind.String } text => Inside(text).ToArray(),
        { ValueKind: JsonValueKind.Object } whole => Inside(System.Text.Encoding.UTF8.GetBytes($"\"{JsonEncodedText.Encode(whole.GetRawText())}\"")).ToArray(),
        _ => [],
    };

    public static ReadOnlySpan<byte> Inside(JsonElement text) => Inside(JsonMarshal.GetRawUtf8Value(text));

    private static ReadOnlySpan<byte> Inside(ReadOnlySpan<byte> quoted) => quoted[1..^1];

    private static byte[] Raw(JsonElement? text) =>
        text is { ValueKind: JsonValueKind.String } some && JsonMarshal.GetRawUtf8Value(some) is { Length: <= NameBoundBytes + 2 } raw ? raw.ToArray() : "\"\""u8.ToArray();
}
