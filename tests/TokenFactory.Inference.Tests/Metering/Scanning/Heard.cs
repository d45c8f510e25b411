using System.Text;
using TokenFactory.Inference.Dialects;
using TokenFactory.Inference.Dispatch;
using TokenFactory.Inference.Metering.Scanning;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference.Tests.Metering.Scanning;

/// <summary>Everything a scanner says of one stream, fed in given pieces.</summary>
internal sealed record Heard(
    string Passed, string HeldBack, bool SawDone, bool IsTruncated, ReportedUsage? Usage, int Finished, string? FinishReason,
    BackendError? Error, long TextBytes, int Events, int Chunks)
{
    public static Heard Of(ReadOnlySpan<byte> stream, bool strip, IEnumerable<int> cuts, int holdBytes = SseScanner.DefaultHoldBytes, Dialect dialect = Dialect.OpenAi)
    {
        using var scanner = new SseScanner(strip, static utf8 => utf8.Length, holdBytes, dialect);
        using var passed = new MemoryStream();
        var from = 0;
        foreach (var cut in cuts.Append(stream.Length))
        {
            // A copy of its own, spoiled after use: what passes must not depend on a chunk that is gone.
            var chunk = stream[from..cut].ToArray();
            scanner.Feed(chunk);
            Collect(scanner, passed);
            chunk.AsSpan().Fill((byte)'#');
            from = cut;
        }

        scanner.Complete();
        Collect(scanner, passed);
        return new Heard(
            Encoding.UTF8.GetString(passed.ToArray()), Encoding.UTF8.GetString(scanner.HeldBack.Span), scanner.SawDone,
            scanner.IsTruncated, scanner.Usage, scanner.FinishedChoices, scanner.FinishReason, scanner.Error,
            scanner.CountDelivered(), scanner.Events, scanner.Chunks);
    }

    public static Heard Whole(string stream, bool strip, Dialect dialect = Dialect.OpenAi) => Of(Encoding.UTF8.GetBytes(stream), strip, [], dialect: dialect);

    private static void Collect(SseScanner scanner, MemoryStream passed)
    {
        foreach (var segment in scanner.Passing)
        {
            passed.Write(segment.Span);
        }
    }
}
