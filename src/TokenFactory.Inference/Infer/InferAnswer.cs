using System.Buffers;
using System.Reflection;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using TokenFactory.Inference.Dialects;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Inference.Infer;

/// <summary>Writes the contract's answer: what was said, where it was said, by which decision, at what cost.</summary>
internal sealed class InferAnswer(HttpContext context, Exchange? exchange, string operation, TimeProvider clock)
{
    private static readonly string _version =
        typeof(InferAnswer).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    /// <summary>The request whose answer did not fit and was asked for again; null when none was.</summary>
    public string? Repaired { get; init; }

    /// <summary>Whether it is what the operation is answered with; a backend may say anything.</summary>
    public bool IsOne(JsonElement said) => operation == "embed"
        ? said.Get("data"u8) is { ValueKind: JsonValueKind.Array } data && data.EnumerateArray().All(static one => one.Get("embedding"u8) is not null)
        : ChoiceOf(said)?.Get("message"u8) is { ValueKind: JsonValueKind.Object };

    public static JsonElement? ChoiceOf(JsonElement said) =>
        said.Get("choices"u8) is { ValueKind: JsonValueKind.Array } choices && choices.GetArrayLength() > 0 ? choices[0] : null;

    /// <param name="said">A chat completion or a list of embeddings, of OpenAI's dialect.</param>
    /// <param name="output">The structured output that was asked for and fits; null when it is text.</param>
    public byte[] Of(JsonElement said, JsonElement? output) => Write(json =>
    {
        if (operation == "embed")
        {
            json.WriteStartArray("embeddings"u8);
            foreach (var one in said.GetProperty("data"u8).EnumerateArray())
            {
                json.Copy(one.GetProperty("embedding"u8));
            }

            json.WriteEndArray();
        }
        else
        {
            var choice = ChoiceOf(said)!.Value;
            Text(json, choice.Get("message"u8)?.Get("content"u8));
            if (output is { } structured)
            {
                json.Copy("output"u8, structured);
            }

            json.CopyIfAny("finish_reason"u8, choice.Get("finish_reason"u8));
        }

        json.WriteNull("error"u8);
    });

    /// <summary>The last event of a stream.</summary>
    public byte[] OfStream(string? finishReason) => Write(json =>
    {
        json.WriteString("finish_reason"u8, finishReason);
        json.WriteNull("error"u8);
    });

    public byte[] OfError(GatewayError error) => Write(json =>
    {
        json.WriteNull("response_text"u8);
        json.WriteStartObject("error"u8);
        json.WriteString("code"u8, error.Code ?? error.Label);
        json.WriteString("type"u8, error.Type);
        json.WriteString("message"u8, error.Message);
        json.WriteString("param"u8, error.Param);
        json.WriteEndObject();
    });

    /// <param name="said">An error of OpenAI's dialect.</param>
    public byte[] OfError(JsonElement said) => Write(json =>
    {
        json.WriteNull("response_text"u8);
        json.CopyIfAny("error"u8, said.Get("error"u8));
    });

    private static void Text(Utf8JsonWriter json, JsonElement? text)
    {
        if (text is { } said)
        {
            json.Copy("response_text"u8, said);
        }
        else
        {
            json.WriteNull("response_text"u8);
        }
    }

    private byte[] Write(Action<Utf8JsonWriter> said)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer, Json.Written))
        {
            json.WriteStartObject();
            json.WriteString("operation"u8, operation);
            said(json);
            Evidence(json);
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private void Evidence(Utf8JsonWriter json)
    {
        var usage = exchange?.Usage.Tokens ?? TokenUsage.Zero;
        var placement = exchange?.Placement;
        json.WriteStartObject("evidence"u8);
        json.WriteString("tokens"u8, JsonNamingPolicy.SnakeCaseLower.ConvertName((exchange?.Usage.Evidence ?? Storage.Ledger.Evidence.KnownZero).ToString()));
        json.WriteEndObject();
        json.WriteStartObject("sovereignty_metadata"u8);
        json.WriteString("provider_id"u8, placement?.Provider);
        json.WriteString("provider_region"u8, placement?.Region);
        json.WriteString("model_id"u8, placement?.UpstreamModel);
        json.WriteString("model_version"u8, placement?.UpstreamVersion);
        json.WriteString("gateway_version"u8, _version);
        json.WriteEndObject();
        json.WriteNumber("latency_ms"u8, exchange is null ? 0 : Math.Round(clock.GetElapsedTime(exchange.StartedAt).TotalMilliseconds, 1));
        json.WriteNumber("tokens_in"u8, usage.Input);
        json.WriteNumber("tokens_out"u8, usage.Output);
        json.WriteString("request_id"u8, (string?)context.Response.Headers[GatewayHeaders.RequestId]);
        json.WriteString("policy_decision_id"u8, (string?)context.Response.Headers[GatewayHeaders.PolicyDecision]);
        Fallback(json);
    }

    private void Fallback(Utf8JsonWriter json)
    {
        var attempts = exchange?.AttemptsMade ?? 0;
        json.WriteStartObject("fallback"u8);
        json.WriteBoolean("used"u8, attempts > 1 || exchange?.Skipped.Count > 0 || exchange?.IsByHand == true || Repaired is not null);
        json.WriteNumber("attempts"u8, attempts);
        json.WriteString("degraded"u8, exchange?.IsByHand == true ? "manual" : null);
        json.WriteStartArray("triggers"u8);
        foreach (var reason in Triggers().Distinct(StringComparer.Ordinal))
        {
            json.WriteStringValue(reason);
        }

        json.WriteEndArray();
        json.WriteString("repaired_request_id"u8, Repaired);
        json.WriteEndObject();
    }

    /// <summary>Why the first candidate is not who answered: reasons alone, for deployments are not the caller's to know.</summary>
    private IEnumerable<string> Triggers()
    {
        foreach (var skip in exchange?.Skipped ?? [])
        {
            yield return skip.Reason;
        }

        foreach (var attempt in exchange?.Attempts ?? [])
        {
            if (attempt.Error is { } failed)
            {
                yield return failed;
            }
        }

        if (Repaired is not null)
        {
            yield return "invalid_output";
        }
    }
}
