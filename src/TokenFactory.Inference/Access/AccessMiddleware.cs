using Microsoft.AspNetCore.Http;

namespace TokenFactory.Inference.Access;

/// <summary>Verifies the key. Needs the pinned snapshot. Leaves Caller. Fails closed: no key, or a read model past its bound, reaches nothing.</summary>
internal sealed class AccessMiddleware(RequestDelegate next, Authenticator authenticator)
{
    public async Task InvokeAsync(HttpContext context)
    {
        var exchange = context.Exchange;
        var (key, refusal) = authenticator.Authenticate(context.Request.Headers, exchange.Snapshot);
        if (key is null)
        {
            await context.RefuseAsync(refusal!);
            return;
        }

        exchange.Caller = new Caller(key);
        await next(context);
    }
}
