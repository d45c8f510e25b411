using System.Buffers.Text;

namespace TokenFactory.Inference.Dispatch.Replicas;

/// <summary>What an engine says of its load: requests that it works on and that wait, and how full its cache is (0 to 1; null when it does not say).</summary>
internal readonly record struct EngineReport(double Running, double Waiting, double? CacheUsage)
{
    // A fuller cache makes engines throw out what they work on.
    private const double Full = 0.95;

    /// <summary>Requests, as a figure to compare: one that waits weighs as much as one that runs, and a full cache as one that waits.</summary>
    public double Load => Running + Waiting + (CacheUsage >= Full ? 1 : 0);

    /// <summary>Reads Prometheus' text format for the names of vLLM and SGLang. What comes in several lines (data-parallel engines) is added up, of caches the fullest counts.</summary>
    /// <returns>Null when it is no such page, or one without requests.</returns>
    public static EngineReport? Read(ReadOnlySpan<byte> page)
    {
        double? running = null;
        double? waiting = null;
        double? cache = null;
        foreach (var range in page.Split((byte)'\n'))
        {
            var line = page[range];
            if (line.StartsWith("vllm:num_requests_running"u8) || line.StartsWith("sglang:num_running_reqs"u8))
            {
                running = Sum(running, Value(line));
            }
            else if (line.StartsWith("vllm:num_requests_waiting"u8) || line.StartsWith("sglang:num_queue_reqs"u8))
            {
                waiting = Sum(waiting, Value(line));
            }
            else if (line.StartsWith("vllm:kv_cache_usage_perc"u8) || line.StartsWith("vllm:gpu_cache_usage_perc"u8) || line.StartsWith("sglang:token_usage"u8))
            {
                cache = Value(line) is { } usage ? Math.Max(cache ?? 0, usage) : cache;
            }
        }

        return running is null && waiting is null ? null : new EngineReport(running ?? 0, waiting ?? 0, cache);
    }

    private static double? Sum(double? sum, double? more) => more is null ? sum : (sum ?? 0) + more;

    /// <summary>Of a line whose name is wholly that one: another name may begin with it.</summary>
    private static double? Value(ReadOnlySpan<byte> line)
    {
        var end = line.IndexOfAny((byte)'{', (byte)' ');
        if (end < 0 || line[..end] is var name && !IsKnown(name))
        {
            return null;
        }

        // A label's value may hold a space or a bracket, a value does not: the last bracket ends the labels.
        var labels = line.LastIndexOf((byte)'}');
        var value = line[(labels < 0 ? end : labels + 1)..].TrimStart((byte)' ');
        return Utf8Parser.TryParse(value, out double number, out var read) && read > 0 && double.IsFinite(number) && number >= 0 ? number : null;
    }

    private static bool IsKnown(ReadOnlySpan<byte> name) =>
        name.SequenceEqual("vllm:num_requests_running"u8) || name.SequenceEqual("vllm:num_requests_waiting"u8) || name.SequenceEqual("vllm:kv_cache_usage_perc"u8)
        || name.SequenceEqual("vllm:gpu_cache_usage_perc"u8) || name.SequenceEqual("sglang:num_running_reqs"u8) || name.SequenceEqual("sglang:num_queue_reqs"u8)
        || name.SequenceEqual("sglang:token_usage"u8);
}
