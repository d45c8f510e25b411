using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace TokenFactory.Inference;

/// <summary>Writes errors in OpenAI's shape: <c>{"error":{"message","type","param","code"}}</c>, as a body or as a stream's last event.</summary>
public static class ErrorBody
{
    /// <summary>Answers with the error; the response must not have started.</summary>
    public static async Task RefuseAsync(this HttpContext context, GatewayError error)
    {
        context.RequestServices.GetService<GatewayMetrics>()?.Refused(context.Features.Get<Exchange>()?.Reached ?? "none", error.Label);
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

        var body = ToJson(error);
        response.ContentType = "application/json";
        response.ContentLength = body.Length;
        await response.Body.WriteAsync(body, context.RequestAborted);
    }

    public static ReadOnlyMemory<byte> ToJson(GatewayError error)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        Write(buffer, error);
        return buffer.WrittenMemory;
    }

    /// <summary>The in-band form: one event, which every SDK that reads errors in streams understands.</summary>
    public static ReadOnlyMemory<byte> ToEvent(GatewayError error)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        buffer.Write("data: "u8);
        Write(buffer, error);
        buffer.Write("\n\n"u8);
        return buffer.WrittenMemory;
    }

    private static void Write(ArrayBufferWriter<byte> buffer, GatewayError error)
    {
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteStartObject("error"u8);
        json.WriteString("message"u8, error.Message);
        json.WriteString("type"u8, error.Type);
        json.WriteString("param"u8, error.Param);
        json.WriteString("code"u8, error.Code);
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
