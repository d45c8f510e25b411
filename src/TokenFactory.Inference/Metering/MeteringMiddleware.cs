using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Inference.Metering;

/// <summary>
/// Reads the answer's bytes once as they pass, and holds back the last of them until Ledger lets them go. Registered
/// around Dispatch and finishes after it. Leaves Usage and the Answer to release; an answer that is not what it claims to
/// be leaves a Failure (P7).
/// </summary>
internal sealed class MeteringMiddleware(
    RequestDelegate next, AnswerFactory answers, AnswerJudge judge, MeteringOptions options, GatewayMetrics metrics, TimeProvider clock, ILogger<MeteringMiddleware> logger)
{
    // Counting again what a backend reported costs a tokenisation: one answer in so many tells the drift well enough.
    private const uint ComparedOneIn = 64;

    private uint _answers;

    public async Task InvokeAsync(HttpContext context)
    {
        var exchange = context.Exchange;
        var client = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        var delivery = new Delivery(context, exchange, clock);
        var body = new MeteredBody(exchange, delivery, answers);
        context.Response.RegisterForDispose(body);
        exchange.Answer = body;
        context.Features.Set<IHttpResponseBodyFeature>(body);
        using var heartbeat = exchange.Ask.Stream ? new Heartbeat(delivery, options.KeepAliveInterval, clock, logger) : null;
        if (exchange.Ask.Stream)
        {
            metrics.StreamOpened();
        }

        try
        {
            await next(context);
        }
        finally
        {
            context.Features.Set(client);
            if (exchange.Ask.Stream)
            {
                metrics.StreamClosed();
            }
        }

        exchange.Usage = Usage.Of(exchange, body.Answer, exchange.Failure);
        Compare(exchange, body.Answer);
        judge.Saw(exchange, isJudgedLater: context.Features.Get<Rewritten>() is { IsJudged: true });
    }

    private void Compare(Exchange exchange, Answer? answer)
    {
        if (exchange is { Failure: null, Usage.Evidence: Evidence.Reported, Placement: { } placement } && exchange.Operation.WritesText
            && Interlocked.Increment(ref _answers) % ComparedOneIn == 0)
        {
            metrics.Compared(placement.Deployment, answer!.CountOutput(), exchange.Usage.Tokens.Output);
        }
    }
}
