using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference;

/// <summary>
/// Writes errors in the caller's own dialect, as a body or as a stream's last event: OpenAI's
/// <c>{"error":{"message","type","param","code"}}</c>, or Anthropic's <c>{"type":"error","error":{"type","message"},"request_id"}</c> with
/// the gateway's <c>code</c> and <c>param</c> beside the message.
/// </summary>
public static class ErrorBody
{
    /// <summary>Answers with the error; the response must not have started.</summary>
    public static async Task RefuseAsync(this HttpContext context, GatewayError error)
    {
        var exchange = context.Features.Get<Exchange>();
        context.RequestServices.GetService<GatewayMetrics>()?.Refused(exchange?.Reached ?? "none", error.Label);
        var response = context.Response;
        response.StatusCode = error.Status;
        if (error.RetryAfter is { } wait)
        {
            var seconds = Math.Clamp((long)Math.Ceiling(wait.TotalSeconds), 1, 60);
            response.Headers.RetryAfter = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        }

        if (error.DoNotRetry)
        {
            response.Headers["x-should-retry"] = "false";
        }

        var body = ToJson(error, exchange?.Dialect ?? InferenceRoutes.DialectOf(context.Request.Path), exchange?.RequestIdText ?? (string?)response.Headers[GatewayHeaders.RequestId]);
        response.ContentType = "application/json";
        response.ContentLength = body.Length;
        await response.Body.WriteAsync(body, context.RequestAborted);
    }

    public static ReadOnlyMemory<byte> ToJson(GatewayError error, Dialect dialect = Dialect.OpenAi, string? requestId = null)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        Write(buffer, error, dialect, requestId);
        return buffer.WrittenMemory;
    }

    /// <summary>The in-band form: one event, which every SDK that reads errors in streams understands.</summary>
    /// <param name="sequenceNumber">Of the event, in the dialect that numbers them.</param>
    public static ReadOnlyMemory<byte> ToEvent(GatewayError error, Dialect dialect, string requestId, long sequenceNumber = 0)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        buffer.Write(dialect == Dialect.OpenAi ? "data: "u8 : "event: error\ndata: "u8);
        if (dialect == Dialect.Responses)
        {
            WriteResponseEvent(buffer, error, sequenceNumber);
        }
        else
        {
            Write(buffer, error, dialect, requestId);
        }

        buffer.Write("\n\n"u8);
        return buffer.WrittenMemory;
    }

    private static void Write(ArrayBufferWriter<byte> buffer, GatewayError error, Dialect dialect, string? requestId)
    {
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        if (dialect == Dialect.Anthropic)
        {
            json.WriteString("type"u8, "error"u8);
        }

        json.WriteStartObject("error"u8);
        if (dialect == Dialect.Anthropic)
        {
            json.WriteString("type"u8, AnthropicTypeOf(error.Status));
            json.WriteString("message"u8, error.Message);
        }
        else
        {
            json.WriteString("message"u8, error.Message);
            json.WriteString("type"u8, error.Type);
        }

        json.WriteString("param"u8, error.Param);
        json.WriteString("code"u8, error.Code);
        json.WriteEndObject();
        if (dialect == Dialect.Anthropic)
        {
            json.WriteString("request_id"u8, requestId);
        }

        json.WriteEndObject();
    }

    /// <summary>As OpenAI documents it, flat, and beside it the object that its service sends and its SDKs throw.</summary>
    private static void WriteResponseEvent(ArrayBufferWriter<byte> buffer, GatewayError error, long sequenceNumber)
    {
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteString("type"u8, "error"u8);
        json.WriteNumber("sequence_number"u8, sequenceNumber);
        Members(json, error);
        json.WriteStartObject("error"u8);
        json.WriteString("type"u8, error.Type);
        Members(json, error);
        json.WriteEndObject();
        json.WriteEndObject();

        static void Members(Utf8JsonWriter json, GatewayError error)
        {
            json.WriteString("code"u8, error.Code);
            json.WriteString("message"u8, error.Message);
            json.WriteString("param"u8, error.Param);
        }
    }

    /// <summary>Anthropic names its errors by their status (docs.claude.com/en/api/errors).</summary>
    private static string AnthropicTypeOf(int status) => status switch
    {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        409 => "conflict_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        503 or 529 => "overloaded_error",
        504 => "timeout_error",
        >= 500 => "api_error",
        _ => "invalid_request_error",
    };
}
