using System.Text.Json;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using TokenFactory.Inference.Access;
using TokenFactory.Inference.Dialects;
using TokenFactory.Inference.Intake;
using TokenFactory.Inference.Metering;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Storage;

namespace TokenFactory.Inference.Infer;

/// <summary>
/// <c>POST /v1/infer</c>, the sovereignty contract (docs/api/infer.md): writes the request that the path serves, in OpenAI's dialect, lets it
/// pass every stop like any other, and writes the contract's answer from what the path left: text or checked structured output, with where
/// it was made, by which decision and at what cost. An answer that has not the form that was asked for is asked for once more, as a request
/// of its own that is judged, limited and billed like the first. Nothing is read for whoever has no key.
/// </summary>
internal sealed class InferMiddleware(
    RequestDelegate next, SnapshotStore snapshots, Authenticator authenticator, BodyBudget budget, IntakeOptions options, AnswerJudge judge, GatewayMetrics metrics, TimeProvider clock)
{
    private const int HeldBytes = 32 * 1024 * 1024;

    private readonly BodyReader _reader = new(budget, options.BodyLimitBytes);

    public Task InvokeAsync(HttpContext context) => InferenceRoutes.Of(context) == InferenceRoutes.Infer ? InferAsync(context) : next(context);

    private async Task InferAsync(HttpContext context)
    {
        context.Response.Headers[GatewayHeaders.RequestId] = Ids.New(clock).ToString("D");
        if (snapshots.Current is not { } snapshot)
        {
            await RefuseAsync(context, GatewayError.StaleReadModel);
            return;
        }

        if (authenticator.Authenticate(context.Request.Headers, snapshot) is (null, { } stranger))
        {
            await RefuseAsync(context, stranger);
            return;
        }

        if (Framing.Judge(context.Request) is { } framing)
        {
            await RefuseAsync(context, framing);
            return;
        }

        var (body, unread) = await _reader.ReadAsync(context.Request, context.RequestAborted);
        if (body is null)
        {
            await RefuseAsync(context, unread!);
            return;
        }

        using (body)
        {
            var (document, refusal) = Parse(body);
            if (document is null)
            {
                await RefuseAsync(context, refusal!);
                return;
            }

            using (document)
            {
                await ServeAsync(context, document.RootElement, snapshot.Infer);
            }
        }
    }

    private (JsonDocument? Document, GatewayError? Refusal) Parse(PooledBody body)
    {
        if (!body.TryReserveForms())
        {
            return (null, GatewayError.NoRoomForBody);
        }

        if (!Utf8.IsValid(body.Span))
        {
            return (null, GatewayError.InvalidUtf8);
        }

        if (!Surrogates.ArePaired(body.Span))
        {
            return (null, GatewayError.MalformedJson("a string holds half of a surrogate pair."));
        }

        try
        {
            return (JsonDocument.Parse(body.Memory, new JsonDocumentOptions { MaxDepth = options.MaxDepth }), null);
        }
        catch (JsonException malformed)
        {
            return (null, GatewayError.MalformedJson($"unexpected or missing text at line {malformed.LineNumber + 1}, byte {malformed.BytePositionInLine + 1}."));
        }
    }

    private async Task ServeAsync(HttpContext context, JsonElement root, InferSettings settings)
    {
        InferRequest request;
        InferPrompt prompt;
        byte[] first;
        try
        {
            request = InferRequest.Read(root, settings);
            prompt = new InferPrompt(request, settings);
            first = prompt.Write(repair: null);
        }
        catch (InexpressibleException refused)
        {
            await RefuseAsync(context, refused.Error);
            return;
        }

        if (request.Declare(context.Request.Headers) is { } contradictory)
        {
            await RefuseAsync(context, contradictory);
            return;
        }

        context.Features.Set(new Rewritten(request.Capability, IsJudged(request)));
        if (request.Stream)
        {
            await StreamAsync(context, first);
            return;
        }

        if (await AskAsync(context, request, prompt, first, repaired: null) is { } repair)
        {
            var answered = (string?)context.Response.Headers[GatewayHeaders.RequestId];
            context.Response.Clear();
            await AskAsync(context, request, prompt, prompt.Write(repair), answered);
        }
    }

    /// <summary>Whether the answer is held to a form.</summary>
    private static bool IsJudged(InferRequest request) => request.Schema is not null || request.Operation is not ("generate" or "embed");

    /// <summary>Asks once and answers; null when that is done, else what is to be said to have it repaired.</summary>
    private async Task<(string Answer, IReadOnlyList<string> Faults)?> AskAsync(HttpContext context, InferRequest request, InferPrompt prompt, byte[] body, string? repaired)
    {
        using var held = new HeldAnswer(budget, HeldBytes);
        await PassAsync(context, body, held);
        if (context.RequestAborted.IsCancellationRequested)
        {
            return null;
        }

        var answer = new InferAnswer(context, context.Features.Get<Exchange>(), request.Operation, clock) { Repaired = repaired };
        if (Failed(context, held, answer) is { } error)
        {
            await WriteAsync(context, context.Response.StatusCode, error);
            return null;
        }

        using var said = ModelSaid.Parsed(held.Memory);
        if (held.Lost is not null || said is null || !answer.IsOne(said.RootElement))
        {
            var wrong = held.Lost ?? GatewayError.BackendFailed;
            SayWhen(context, wrong);
            await WriteAsync(context, wrong.Status, answer.OfError(wrong));
            return null;
        }

        if (!IsJudged(request))
        {
            await WriteAsync(context, StatusCodes.Status200OK, answer.Of(said.RootElement, output: null));
            return null;
        }

        var text = ModelSaid.TextOf(said.RootElement);
        using var output = ModelSaid.Unfenced(text);
        var faults = output is null ? ["$: is no JSON"] : ModelSaid.FaultsOf(prompt, output.RootElement);
        judge.Judged(context.Exchange, fits: faults.Count == 0);

        // What the operator wrote for the day when no model can be asked has no form to hold it to.
        if (faults.Count == 0 || context.Exchange.IsByHand)
        {
            await WriteAsync(context, StatusCodes.Status200OK, answer.Of(said.RootElement, faults.Count == 0 ? output!.RootElement : null));
            return null;
        }

        if (repaired is null)
        {
            return (text, faults);
        }

        var invalid = GatewayError.InvalidOutput(faults);
        await WriteAsync(context, invalid.Status, answer.OfError(invalid));
        return null;
    }

    private async Task StreamAsync(HttpContext context, byte[] body)
    {
        await using var events = new InferStream(context.Features.GetRequiredFeature<IHttpResponseBodyFeature>(), budget, clock);
        await PassAsync(context, body, events);
        if (context.RequestAborted.IsCancellationRequested)
        {
            return;
        }

        var answer = new InferAnswer(context, context.Features.Get<Exchange>(), "generate", clock);
        if (context.Response.HasStarted)
        {
            await events.EndAsync(answer.OfStream(events.FinishReason), context.RequestAborted);
        }
        else if (Failed(context, events.Held, answer) is { } error)
        {
            await WriteAsync(context, context.Response.StatusCode, error);
        }
        else if (events.IsStream)
        {
            // Whole, and without a word: the result is all there is to say.
            await events.EndAsync(answer.OfStream(events.FinishReason), context.RequestAborted);
        }
        else
        {
            using var said = ModelSaid.Parsed(events.Held.Memory);
            var wrong = events.Held.Lost ?? (said is not null && answer.IsOne(said.RootElement) ? null : GatewayError.BackendFailed);
            SayWhen(context, wrong);
            await WriteAsync(context, wrong?.Status ?? StatusCodes.Status200OK, wrong is null ? answer.Of(said!.RootElement, output: null) : answer.OfError(wrong));
        }
    }

    /// <summary>Lets the rewritten request pass every stop, with its answer going where it is told.</summary>
    private async Task PassAsync(HttpContext context, byte[] body, Stream answer)
    {
        var (headers, request) = (context.Request.Headers, context.Request);
        request.Body = new MemoryStream(body, writable: false);
        headers.ContentLength = body.Length;
        headers.TransferEncoding = default;
        headers.ContentType = "application/json";
        var client = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        var inner = new StreamResponseBodyFeature(answer);
        context.Features.Set<IHttpResponseBodyFeature>(inner);
        try
        {
            await next(context);
            await inner.Writer.FlushAsync();
        }
        finally
        {
            context.Features.Set(client);
        }
    }

    /// <summary>The error, when the path ended in one: what it left of it, not what it may have begun to write before.</summary>
    private static byte[]? Failed(HttpContext context, HeldAnswer held, InferAnswer answer)
    {
        if (context.Response.StatusCode == StatusCodes.Status200OK)
        {
            return null;
        }

        if (context.Features.Get<Exchange>()?.Failure is { } failure)
        {
            return answer.OfError(failure.Error);
        }

        using var refusal = ModelSaid.Parsed(held.Memory);
        return refusal is null ? answer.OfError(GatewayError.Internal) : answer.OfError(refusal.RootElement);
    }

    private Task RefuseAsync(HttpContext context, GatewayError error)
    {
        metrics.Refused("infer", error.Label);
        SayWhen(context, error);
        return WriteAsync(context, error.Status, new InferAnswer(context, exchange: null, "generate", clock).OfError(error));
    }

    private static void SayWhen(HttpContext context, GatewayError? error)
    {
        if (error?.RetryAfter is { } wait)
        {
            context.Response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds)).ToString(System.Globalization.CultureInfo.InvariantCulture);
        }
    }

    private static async Task WriteAsync(HttpContext context, int status, byte[] answer)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = answer.Length;
        await context.Response.Body.WriteAsync(answer, context.RequestAborted);
    }
}
