namespace TokenFactory.Gateway.Health;

/// <summary>Asks clients of a leaving replica to connect anew: over a kept connection their next request would come here
/// again, past the load balancer that has left this replica out, and meet a closed door.</summary>
internal sealed class LeavingMiddleware(RequestDelegate next, Readiness readiness)
{
    public Task InvokeAsync(HttpContext context)
    {
        // HTTP/2 has GOAWAY for it, which the server sends by itself.
        if (readiness.IsDraining && HttpProtocol.IsHttp11(context.Request.Protocol))
        {
            context.Response.Headers.Connection = "close";
        }

        return next(context);
    }
}
