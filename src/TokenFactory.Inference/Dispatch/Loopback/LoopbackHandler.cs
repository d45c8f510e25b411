using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using TokenFactory.Inference.Dispatch.Loopback.Choices;
using TokenFactory.Storage;

namespace TokenFactory.Inference.Dispatch.Loopback;

/// <summary>
/// The built-in model, in the place of the network: it sits innermost in the forwarder's invoker, so a loopback request
/// passes every stop a real one does. Speaks OpenAI's dialect and says the last user message back, the same every time; or what a
/// manual deployment is to say.
/// </summary>
/// <param name="says">What it says whatever it is asked; null says back what it is told.</param>
internal sealed class LoopbackHandler(CountTokens count, TimeProvider clock, string? says = null, int bodyLimitBytes = 32 * 1024 * 1024) : HttpMessageHandler
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var path = request.RequestUri?.AbsolutePath ?? "";
        if (request.Method == HttpMethod.Get && path.EndsWith("/models", StringComparison.Ordinal))
        {
            return Json(request, HttpStatusCode.OK, Models());
        }

        Func<Fields, HttpResponseMessage>? answer = request.Method != HttpMethod.Post ? null
            : path.EndsWith("/chat/completions", StringComparison.Ordinal) ? fields => Generated(request, fields, says is null ? Chat.Answer : Manual.OfChat(says))
            : path.EndsWith("/completions", StringComparison.Ordinal) ? fields => Generated(request, fields, says is null ? Completions.Answer : Manual.OfCompletions(says))
            : path.EndsWith("/embeddings", StringComparison.Ordinal) ? fields => Json(request, HttpStatusCode.OK, Embeddings.Answer(fields, count))
            : path.EndsWith("/responses", StringComparison.Ordinal) ? fields => Responded(request, fields)
            : path.EndsWith("/moderations", StringComparison.Ordinal) ? fields => Json(request, HttpStatusCode.OK, Moderations.Answer(fields, Ids.New(clock)))
            : null;

        return answer is null
            ? Refused(request, Fault.UnknownUrl(request.Method, request.RequestUri))
            : await ReadAndAnswerAsync(request, answer, cancellationToken);
    }

    private async Task<HttpResponseMessage> ReadAndAnswerAsync(
        HttpRequestMessage request, Func<Fields, HttpResponseMessage> answer, CancellationToken cancellationToken)
    {
        // Copied, not read: a forwarder's content can only be written to a stream, as the network would have it.
        await using var body = new BoundedBody(bodyLimitBytes);
        if (request.Content is { } content)
        {
            await content.CopyToAsync(body, cancellationToken);
        }

        if (body.IsTooLarge)
        {
            return Refused(request, Fault.TooLarge);
        }

        using var document = Parse(body.Bytes);
        if (document?.RootElement is not { ValueKind: JsonValueKind.Object } root)
        {
            return Refused(request, Fault.NotJson);
        }

        var fields = new Fields(root);
        var response = answer(fields);
        if (fields.Fault is not { } fault)
        {
            return response;
        }

        response.Dispose();
        return Refused(request, fault);
    }

    private HttpResponseMessage Generated(
        HttpRequestMessage request, Fields fields, Func<Fields, Guid, long, CountTokens, Reply> answer)
    {
        var reply = answer(fields, Ids.New(clock), clock.GetUtcNow().ToUnixTimeSeconds(), count);
        if (fields.Fault is not null || !reply.Asked.Stream)
        {
            return Json(request, HttpStatusCode.OK, fields.Fault is null ? reply.Whole() : default);
        }

        return Streamed(request, reply.Events());
    }

    private HttpResponseMessage Responded(HttpRequestMessage request, Fields fields)
    {
        var reply = Responses.Answer(fields, Ids.New(clock), clock.GetUtcNow().ToUnixTimeSeconds(), count);
        return fields.Fault is null && reply.Asked.Stream
            ? Streamed(request, reply.Events())
            : Json(request, HttpStatusCode.OK, fields.Fault is null ? reply.Whole() : default);
    }

    private static HttpResponseMessage Streamed(HttpRequestMessage request, IEnumerable<ReadOnlyMemory<byte>> events)
    {
        var content = new StreamContent(new EventStream(events));
        content.Headers.ContentType = new MediaTypeHeaderValue("text/event-stream", "utf-8");
        return Response(request, HttpStatusCode.OK, content);
    }

    private ReadOnlyMemory<byte> Models() => new EventWriter().Document(json =>
    {
        json.WriteString("object"u8, "list"u8);
        json.WriteStartArray("data"u8);
        json.WriteStartObject();
        json.WriteString("id"u8, "loopback"u8);
        json.WriteString("object"u8, "model"u8);
        json.WriteNumber("created"u8, clock.GetUtcNow().ToUnixTimeSeconds());
        json.WriteString("owned_by"u8, "token-factory"u8);
        json.WriteEndObject();
        json.WriteEndArray();
    });

    private static HttpResponseMessage Refused(HttpRequestMessage request, Fault fault) =>
        Json(request, fault.Status, new EventWriter().Document(json =>
        {
            json.WriteStartObject("error"u8);
            json.WriteString("message"u8, fault.Message);
            json.WriteString("type"u8, "invalid_request_error"u8);
            json.WriteString("param"u8, fault.Param);
            json.WriteString("code"u8, fault.Code);
            json.WriteEndObject();
        }));

    private static HttpResponseMessage Json(HttpRequestMessage request, HttpStatusCode status, ReadOnlyMemory<byte> document)
    {
        var content = new ReadOnlyMemoryContent(document);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return Response(request, status, content);
    }

    private static HttpResponseMessage Response(HttpRequestMessage request, HttpStatusCode status, HttpContent content) =>
        new(status) { Content = content, RequestMessage = request, Version = request.Version };

    private static JsonDocument? Parse(ReadOnlyMemory<byte> body)
    {
        try
        {
            return JsonDocument.Parse(body);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
