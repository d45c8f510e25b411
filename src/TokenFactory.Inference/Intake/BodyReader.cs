using Microsoft.AspNetCore.Http;

namespace TokenFactory.Inference.Intake;

/// <summary>Reads a request body once, within its own limit and the process's budget. What it returns is either a body or the error to answer.</summary>
internal sealed class BodyReader(BodyBudget budget, int limitBytes)
{
    // What an unknown length is taken by, step by step.
    private const int StepBytes = 16 * 1024;

    public async ValueTask<(PooledBody? Body, GatewayError? Error)> ReadAsync(HttpRequest request, CancellationToken cancel)
    {
        var declared = request.ContentLength;
        if (declared > limitBytes)
        {
            return (null, GatewayError.BodyTooLarge(limitBytes));
        }

        var step = (int)(declared ?? StepBytes);
        if (!budget.TryTake(step))
        {
            return (null, GatewayError.NoRoomForBody);
        }

        var body = new PooledBody(budget, step) { ReservedBytes = step };
        var error = await FillAsync(body, request.Body, declared, cancel);
        if (error is null)
        {
            return (body, null);
        }

        body.Dispose();
        return (null, error);
    }

    private async ValueTask<GatewayError?> FillAsync(PooledBody body, Stream source, long? declared, CancellationToken cancel)
    {
        try
        {
            while (declared is null || body.Length < declared)
            {
                var read = await source.ReadAsync(body.Free(), cancel);
                if (read == 0)
                {
                    return null;
                }

                body.Advance(read);
                if (body.Length > limitBytes)
                {
                    return GatewayError.BodyTooLarge(limitBytes);
                }

                while (body.Length > body.ReservedBytes)
                {
                    if (!budget.TryTake(StepBytes))
                    {
                        return GatewayError.NoRoomForBody;
                    }

                    body.ReservedBytes += StepBytes;
                }
            }

            return null;
        }
        catch (BadHttpRequestException refused)
        {
            return refused.StatusCode == StatusCodes.Status413PayloadTooLarge ? GatewayError.BodyTooLarge(limitBytes) : GatewayError.BodyInterrupted;
        }
        catch (IOException)
        {
            return GatewayError.BodyInterrupted;
        }
    }
}
