using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace TokenFactory.Inference;

/// <summary>
/// Gives what no endpoint answered OpenAI's error shape: unknown paths, wrong methods, and exceptions of endpoints. Sits
/// outside of everything, so that no answer leaves the process in another shape.
/// </summary>
internal sealed partial class UnservedMiddleware(RequestDelegate next, ILogger<UnservedMiddleware> logger)
{
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context);
        }
        catch (BadHttpRequestException refused) when (!context.Response.HasStarted)
        {
            await context.RefuseAsync(GatewayError.BodyInterrupted with { Status = refused.StatusCode });
            return;
        }
        catch (Exception bug) when (!context.Response.HasStarted && !context.RequestAborted.IsCancellationRequested)
        {
            Log.Bug(logger, bug);
            context.Response.Clear();
            await context.RefuseAsync(GatewayError.Internal);
            return;
        }

        var response = context.Response;
        if (response.HasStarted || response.ContentLength is not null || response.ContentType is not null)
        {
            return;
        }

        var (method, path) = (context.Request.Method, context.Request.Path.Value ?? "/");
        switch (response.StatusCode)
        {
            case StatusCodes.Status404NotFound:
                await context.RefuseAsync(GatewayError.UnknownUrl(method, path));
                break;
            case StatusCodes.Status405MethodNotAllowed:
                await context.RefuseAsync(GatewayError.WrongMethod(method, path, response.Headers.Allow.ToString()));
                break;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "An endpoint met a bug")]
        public static partial void Bug(ILogger logger, Exception cause);
    }
}
