using System.Text;
using BenchmarkDotNet.Attributes;
using TokenFactory.Tokenizer;

namespace TokenFactory.Benchmarks;

/// <summary>Counting a prompt of a few kilobytes, as the gateway does when a limit depends on it. Against npm tiktoken: bench/tokenizer/compare.</summary>
[MemoryDiagnoser]
public class TokenizerBenchmarks
{
    private readonly byte[] _text = Encoding.UTF8.GetBytes(string.Join(' ', Enumerable.Range(0, 400).Select(i => $"The ledger of day {i} lists every token once, and none twice.")));

    [Benchmark]
    public int O200k() => TokenEncoding.O200kBase.Count(_text);

    [Benchmark]
    public int Cl100k() => TokenEncoding.Cl100kBase.Count(_text);
}
