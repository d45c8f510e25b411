using System.Text.Json;
using TokenFactory.TestKit.Upstream.Steps;

namespace TokenFactory.TestKit.Upstream.Responses;

/// <summary>Responses and their events as OpenAI's service writes them.</summary>
internal static class ResponseJson
{
    private const long Created = 1_750_000_000;

    public static ReadOnlyMemory<byte> Whole(Play play, HonestAnswer answer, UpstreamUsage? usage)
        => CompletionJson.Write(json => Response(json, play, answer, StatusOf(answer), usage));

    /// <summary>An event about the response as such.</summary>
    public static ReadOnlyMemory<byte> OfResponse(Play play, string type, HonestAnswer? answer, string status, UpstreamUsage? usage, string? error = null) => Event(play, type, json =>
    {
        json.WriteStartObject("response");
        Response(json, play, answer, status, usage, error);
        json.WriteEndObject();
    });

    public static ReadOnlyMemory<byte> OfItem(Play play, string type, HonestAnswer? answer) => Event(play, type, json =>
    {
        json.WriteNumber("output_index", 0);
        json.WriteStartObject("item");
        Item(json, play, answer);
        json.WriteEndObject();
    });

    public static ReadOnlyMemory<byte> OfPart(Play play, string type, string text) => Event(play, type, json =>
    {
        Place(json, play, ofPart: true);
        json.WriteStartObject("part");
        Part(json, text);
        json.WriteEndObject();
    });

    /// <summary>A piece of text or of a call's arguments, or all of it.</summary>
    public static ReadOnlyMemory<byte> OfText(Play play, bool isPiece, string text)
    {
        var kind = play.Ask.Tool is null ? "response.output_text" : "response.function_call_arguments";
        return Event(play, $"{kind}.{(isPiece ? "delta" : "done")}", json =>
        {
            Place(json, play, ofPart: play.Ask.Tool is null);
            json.WriteString(isPiece ? "delta" : play.Ask.Tool is null ? "text" : "arguments", text);
            if (play.Ask.Tool is null)
            {
                json.WriteStartArray("logprobs");
                json.WriteEndArray();
            }

            if (isPiece)
            {
                json.WriteString("obfuscation", new string('x', (text.Length * 7 % 13) + 1));
            }
        });
    }

    public static string StatusOf(HonestAnswer answer) => answer.Finish == "length" ? "incomplete" : "completed";

    private static ReadOnlyMemory<byte> Event(Play play, string type, Action<Utf8JsonWriter> write) => CompletionJson.Write(json =>
    {
        json.WriteString("type", type);
        json.WriteNumber("sequence_number", play.NextNumber++);
        write(json);
    });

    private static void Place(Utf8JsonWriter json, Play play, bool ofPart)
    {
        json.WriteString("item_id", ItemId(play));
        json.WriteNumber("output_index", 0);
        if (ofPart)
        {
            json.WriteNumber("content_index", 0);
        }
    }

    private static string ItemId(Play play) => $"{(play.Ask.Tool is null ? "msg" : "fc")}_{play.Id}";

    private static void Response(Utf8JsonWriter json, Play play, HonestAnswer? answer, string status, UpstreamUsage? usage, string? error = null)
    {
        json.WriteString("id", play.Id);
        json.WriteString("object", "response");
        json.WriteNumber("created_at", Created);
        json.WriteString("status", status);
        json.WriteBoolean("background", false);
        json.WritePropertyName("error");
        if (error is null)
        {
            json.WriteNullValue();
        }
        else
        {
            json.WriteStartObject();
            json.WriteString("code", error);
            json.WriteString("message", "The model failed at 10.0.0.5.");
            json.WriteEndObject();
        }

        json.WritePropertyName("incomplete_details");
        json.WriteRawValue(status == "incomplete" ? """{"reason":"max_output_tokens"}""" : "null");
        json.WriteNull("instructions");
        json.WriteString("model", play.Ask.Model);
        json.WriteStartArray("output");
        if (answer is not null)
        {
            json.WriteStartObject();
            Item(json, play, answer);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteBoolean("parallel_tool_calls", true);
        json.WriteString("previous_response_id", play.Ask.PreviousResponseId);
        json.WriteRaw("reasoning", """{"effort":null,"summary":null}""");
        json.WriteBoolean("store", true);
        json.WriteNumber("temperature", 1.0);
        json.WriteRaw("text", """{"format":{"type":"text"}}""");
        json.WriteString("tool_choice", "auto");
        json.WriteRaw("tools", "[]");
        json.WriteNumber("top_p", 1.0);
        json.WriteString("truncation", "disabled");
        json.WritePropertyName("usage");
        Usage(json, usage);
        json.WriteRaw("metadata", "{}");
    }

    private static void Item(Utf8JsonWriter json, Play play, HonestAnswer? answer)
    {
        json.WriteString("id", ItemId(play));
        json.WriteString("type", play.Ask.Tool is null ? "message" : "function_call");
        json.WriteString("status", answer is null ? "in_progress" : StatusOf(answer));
        if (play.Ask.Tool is { } tool)
        {
            json.WriteString("call_id", $"call_{play.Request.Number}");
            json.WriteString("name", tool);
            json.WriteString("arguments", answer?.Text ?? "");
            return;
        }

        json.WriteString("role", "assistant");
        json.WriteStartArray("content");
        if (answer is not null)
        {
            json.WriteStartObject();
            Part(json, answer.Text);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void Part(Utf8JsonWriter json, string text)
    {
        json.WriteString("type", "output_text");
        json.WriteRaw("annotations", "[]");
        json.WriteRaw("logprobs", "[]");
        json.WriteString("text", text);
    }

    private static void Usage(Utf8JsonWriter json, UpstreamUsage? usage)
    {
        if (usage is null)
        {
            json.WriteNullValue();
            return;
        }

        json.WriteStartObject();
        json.WriteNumber("input_tokens", usage.Prompt);
        json.WriteRaw("input_tokens_details", $$"""{"cached_tokens":{{usage.Cached}}}""");
        json.WriteNumber("output_tokens", usage.Completion);
        json.WriteRaw("output_tokens_details", $$"""{"reasoning_tokens":{{usage.Reasoning}}}""");
        json.WriteNumber("total_tokens", usage.Total);
        json.WriteEndObject();
    }

    private static void WriteRaw(this Utf8JsonWriter json, string name, string value)
    {
        json.WritePropertyName(name);
        json.WriteRawValue(value);
    }
}
