using System.Text;
using System.Text.Json;
using TokenFactory.Inference.Dialects;
using TokenFactory.Inference.Intake;
using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Inference.Dispatch;

/// <summary>
/// The caller's body with only what must differ spliced in: the upstream's model name, and the wish for usage on a stream.
/// Every other byte is the caller's own, never re-serialised.
/// </summary>
internal static class UpstreamBody
{
    private static readonly byte[] _usage = "{\"include_usage\":true}"u8.ToArray();
    private static readonly byte[] _continuousUsage = "{\"include_usage\":true,\"continuous_usage_stats\":true}"u8.ToArray();

    /// <summary>The body's segments in order, and whether usage will come that the caller did not ask for.</summary>
    /// <exception cref="InexpressibleException">The backend's dialect has no words for it.</exception>
    public static (IReadOnlyList<ReadOnlyMemory<byte>> Segments, bool UsageInjected) For(Ask ask, Deployment deployment, Conversion? conversion)
    {
        if (conversion is not null)
        {
            return ask.Body.TryReserveForms()
                ? ([conversion.Request(ask.Body.Memory, deployment, deployment.UpstreamModel ?? ask.Model)], ask is { Stream: true, StreamOptions.IncludeUsage: false, Dialect: Dialect.OpenAi })
                : throw new InexpressibleException(GatewayError.NoRoomForBody);
        }

        var body = ask.Body.Memory;
        var edits = new List<(int Start, int End, ReadOnlyMemory<byte> With)>(2);
        if (deployment.UpstreamModel is { } name && name != ask.Model)
        {
            edits.Add((ask.ModelRange.Start.Value, ask.ModelRange.End.Value, Quoted(name)));
        }

        if (ask.Conversation is { } conversation)
        {
            edits.Add((ask.PreviousRange.Start.Value, ask.PreviousRange.End.Value, Quoted(conversation.BackendId)));
        }

        var asks = ask.Stream && ask.Dialect == Dialect.OpenAi && deployment.StreamsUsage && (!ask.StreamOptions.IncludeUsage || deployment.ContinuousUsage);
        if (asks)
        {
            edits.Add(UsageEdit(ask.StreamOptions, body.Span, deployment.ContinuousUsage));
        }

        return (edits.Count == 0 ? [body] : Splice(body, edits), asks && !ask.StreamOptions.IncludeUsage);
    }

    private static (int Start, int End, ReadOnlyMemory<byte> With) UsageEdit(StreamOptions options, ReadOnlySpan<byte> body, bool continuous)
    {
        var value = continuous ? _continuousUsage : _usage;
        if (options.Whole is not { } whole)
        {
            var inside = body.IndexOf((byte)'{') + 1;
            return (inside, inside, Join("\"stream_options\":"u8, value, ","u8));
        }

        if (options.IsNull || options.IsEmpty)
        {
            return (whole.Start.Value, whole.End.Value, value);
        }

        if (options.IncludeUsageValue is { } include)
        {
            return (include.Start.Value, include.End.Value, continuous ? "true,\"continuous_usage_stats\":true"u8.ToArray() : "true"u8.ToArray());
        }

        var first = whole.Start.Value + 1;
        return (first, first, Join(value.AsSpan(1, value.Length - 2), ","u8, default));
    }

    private static List<ReadOnlyMemory<byte>> Splice(ReadOnlyMemory<byte> body, List<(int Start, int End, ReadOnlyMemory<byte> With)> edits)
    {
        edits.Sort(static (left, right) => left.Start.CompareTo(right.Start));
        var segments = new List<ReadOnlyMemory<byte>>((edits.Count * 2) + 1);
        var from = 0;
        foreach (var (start, end, with) in edits)
        {
            segments.Add(body[from..start]);
            segments.Add(with);
            from = end;
        }

        segments.Add(body[from..]);
        return segments;
    }

    private static byte[] Quoted(string name) => Encoding.UTF8.GetBytes($"\"{JsonEncodedText.Encode(name)}\"");

    private static byte[] Join(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, ReadOnlySpan<byte> third)
    {
        var joined = new byte[first.Length + second.Length + third.Length];
        first.CopyTo(joined);
        second.CopyTo(joined.AsSpan(first.Length));
        third.CopyTo(joined.AsSpan(first.Length + second.Length));
        return joined;
    }
}
