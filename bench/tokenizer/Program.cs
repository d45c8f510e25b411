// Throughput FILE ENCODING SECONDS: encodes the file again and again on one thread and prints one line of JSON, the same
// that reference.mjs prints for the npm package. The best round counts: noise only ever slows a round.
using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using TokenFactory.Tokenizer;

var text = File.ReadAllBytes(args[0]);
var encoding = TokenEncoding.ForEncoding(args[1]) ?? throw new ArgumentException($"Unknown encoding {args[1]}.");
var total = TimeSpan.FromSeconds(double.Parse(args[2], CultureInfo.InvariantCulture));

var ids = new ArrayBufferWriter<int>(text.Length);
var encode = Best(() =>
{
    ids.ResetWrittenCount();
    encoding.Encode(text, ids);
});
var count = Best(() => encoding.Count(text));
Console.WriteLine(string.Create(
    CultureInfo.InvariantCulture,
    $$"""{"tokens":{{encoding.Count(text)}},"encode_mb_per_s":{{encode:F2}},"count_mb_per_s":{{count:F2}}}"""));

double Best(Action round)
{
    var best = TimeSpan.MaxValue;
    var started = Stopwatch.GetTimestamp();
    do
    {
        var from = Stopwatch.GetTimestamp();
        round();
        var took = Stopwatch.GetElapsedTime(from);
        best = took < best ? took : best;
    }
    while (Stopwatch.GetElapsedTime(started) < total);

    return text.Length / 1e6 / best.TotalSeconds;
}
