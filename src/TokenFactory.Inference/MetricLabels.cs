using System.Diagnostics.Metrics;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Inference;

/// <summary>Closed lists of label values, as constants so that recording allocates nothing.</summary>
internal static class MetricLabels
{
    /// <summary>The usage event's name of the outcome; <c>refused</c> when there was no admission.</summary>
    public static string Of(Outcome? outcome) => outcome switch
    {
        null => "refused",
        Outcome.Completed => "completed",
        Outcome.ClientCut => "client_cut",
        Outcome.BackendCut => "backend_cut",
        Outcome.Failed => "failed",
        Outcome.TimedOut => "timed_out",
        Outcome.Cancelled => "cancelled",
        Outcome.Drained => "drained",
        Outcome.Orphaned => "orphaned",
        _ => "unknown",
    };

    public static string OfStatus(int statusCode) => (statusCode / 100) switch
    {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        5 => "5xx",
        _ => "unknown",
    };
}

/// <summary>Explicit histogram bounds. Those of <c>gen_ai.*</c> are the conventions' own, so that dashboards agree.</summary>
internal static class Buckets
{
    /// <summary>Powers of four up to 4^13.</summary>
    public static InstrumentAdvice<long> Tokens { get; } = new()
    {
        HistogramBucketBoundaries = [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864],
    };

    public static InstrumentAdvice<double> Operation { get; } = new()
    {
        HistogramBucketBoundaries = [.01, .02, .04, .08, .16, .32, .64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92],
    };

    /// <summary>From 50 µs, a good day, to 1 s, an incident.</summary>
    public static InstrumentAdvice<double> Overhead { get; } = new()
    {
        HistogramBucketBoundaries = [.00005, .0001, .0002, .0005, .001, .002, .005, .01, .02, .05, .1, .2, .5, 1],
    };

    /// <summary>Dense around 1, where a tokenizer that is slightly off shows.</summary>
    public static InstrumentAdvice<double> Drift { get; } = new()
    {
        HistogramBucketBoundaries = [.5, .8, .9, .95, .98, .99, .999, 1, 1.001, 1.01, 1.02, 1.05, 1.1, 1.25, 2],
    };
}
