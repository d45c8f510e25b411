using System.Text;
using BenchmarkDotNet.Attributes;
using TokenFactory.Inference.Metering.Scanning;

namespace TokenFactory.Benchmarks;

/// <summary>What reading a stream costs per event. The promise: an ordinary event well under 250 ns, and no allocation.</summary>
[MemoryDiagnoser]
public class SseScannerBenchmarks
{
    private const int EventsPerRun = 1000;

    private byte[][] _chunks = [];
    private SseScanner _scanner = null!;

    public enum Stream
    {
        /// <summary>One event of about 220 bytes per chunk, only the text differs.</summary>
        Ordinary,

        /// <summary>The same, 16 events to a chunk.</summary>
        Packed,

        /// <summary>OpenAI asked for usage: <c>"usage":null</c> to cut out and a padding that varies.</summary>
        UsageNull,

        /// <summary>vLLM with continuous usage: every event is read in full.</summary>
        ContinuousUsage,

        /// <summary>Every event is cut in two by the network.</summary>
        Halved,
    }

    [ParamsAllValues]
    public Stream Kind { get; set; }

    [Params(false, true)]
    public bool CountsText { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var events = Enumerable.Range(0, EventsPerRun).Select(at => Encoding.UTF8.GetBytes(Event(at)));
        _chunks = Kind switch
        {
            Stream.Packed => [.. events.Chunk(16).Select(some => some.SelectMany(one => one).ToArray())],
            Stream.Halved => [.. events.SelectMany(one => new[] { one[..(one.Length / 2)], one[(one.Length / 2)..] })],
            _ => [.. events],
        };
        _scanner = new SseScanner(stripUsage: true, CountsText ? static utf8 => utf8.Length / 4 : null);
    }

    [GlobalCleanup]
    public void Cleanup() => _scanner.Dispose();

    [Benchmark(OperationsPerInvoke = EventsPerRun)]
    public int Feed()
    {
        var passed = 0;
        foreach (var chunk in _chunks)
        {
            _scanner.Feed(chunk);
            foreach (var segment in _scanner.Passing)
            {
                passed += segment.Length;
            }
        }

        return passed;
    }

    private string Event(int at)
    {
        var more = Kind switch
        {
            Stream.UsageNull => $",\"usage\":null,\"obfuscation\":\"{new string('x', at % 12)}\"",
            Stream.ContinuousUsage => $",\"usage\":{{\"prompt_tokens\":812,\"total_tokens\":{813 + at},\"completion_tokens\":{at + 1}}}",
            _ => "",
        };
        return "data: {\"id\":\"chatcmpl-9f8e7d6c5b4a39281706f5e4d3c2b1a0\",\"object\":\"chat.completion.chunk\",\"created\":1717171717,"
            + "\"model\":\"meta-llama/Llama-3.1-8B-Instruct\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" word"
            + $"{at % 97}\"}},\"logprobs\":null,\"finish_reason\":null}}]{more}}}\n\n";
    }
}
