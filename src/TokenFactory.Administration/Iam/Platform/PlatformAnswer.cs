namespace TokenFactory.Administration.Iam.Platform;

/// <summary>An answer whose body is still to be read, or none because nothing changed.</summary>
internal sealed class PlatformAnswer(HttpResponseMessage response, JsonLines? lines, AnswerClock clock) : IDisposable
{
    private readonly LineReader _reader = new();

    public bool IsUnchanged => lines is null;

    public string? ETag { get; } = response.Headers.ETag?.ToString();

    /// <summary>Null at the end of the body.</summary>
    /// <exception cref="AnswerRefusedException">The body cannot be read on.</exception>
    public async ValueTask<Line?> ReadAsync(CancellationToken cancel)
    {
        try
        {
            return await lines!.ReadAsync(clock.Token) ? _reader.Read(lines.Line.Span) : null;
        }
        catch (Exception e) when (!cancel.IsCancellationRequested && e is HttpRequestException or IOException or OperationCanceledException)
        {
            throw PlatformClient.Refused(e);
        }
    }

    public void Dispose()
    {
        lines?.Dispose();
        response.Dispose();
        clock.Dispose();
    }
}
