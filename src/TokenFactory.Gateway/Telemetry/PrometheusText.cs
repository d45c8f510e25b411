using System.Globalization;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace TokenFactory.Gateway.Telemetry;

/// <summary>Writes the Prometheus text exposition format 0.0.4. Families and series are sorted, so that two scrapes differ
/// only in what changed.</summary>
internal sealed class PrometheusText(TextWriter writer)
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    public void WriteTarget(Resource resource)
    {
        var labels = PrometheusLabels.Of(resource.Attributes!);
        writer.WriteLine("# HELP target_info Target metadata");
        writer.WriteLine("# TYPE target_info gauge");
        Sample("target_info", "", labels, 1);
    }

    public void Write(in Batch<Metric> batch)
    {
        var families = new SortedDictionary<string, List<Metric>>(StringComparer.Ordinal);
        foreach (var metric in batch)
        {
            var name = PrometheusName.Of(metric.Name, metric.Unit, metric.MetricType);
            if (!families.TryGetValue(name, out var family))
            {
                families[name] = family = [];
            }

            family.Add(metric);
        }

        foreach (var (name, family) in families)
        {
            WriteFamily(name, family);
        }
    }

    private void WriteFamily(string name, List<Metric> family)
    {
        var type = TypeOf(family[0].MetricType);
        if (type is null)
        {
            return; // exponential histograms have no form in this format
        }

        var series = new List<(string Labels, MetricType Type, MetricPoint Point)>();
        foreach (var metric in family.Where(m => TypeOf(m.MetricType) == type))
        {
            foreach (ref readonly var point in metric.GetMetricPoints())
            {
                series.Add((PrometheusLabels.Of(point.Tags), metric.MetricType, point));
            }
        }

        writer.Write("# HELP ");
        writer.Write(name);
        writer.Write(' ');
        PrometheusLabels.WriteEscaped(writer, family[0].Description, quotes: false);
        writer.WriteLine();
        writer.WriteLine($"# TYPE {name} {type}");

        series.Sort(static (a, b) => string.CompareOrdinal(a.Labels, b.Labels));
        string? previous = null;
        foreach (var (labels, kind, point) in series)
        {
            // A series that appears twice makes a scraper reject the whole page: the first one stands.
            if (labels != previous)
            {
                WriteSeries(name, labels, kind, in point);
            }

            previous = labels;
        }
    }

    private void WriteSeries(string name, string labels, MetricType type, in MetricPoint point)
    {
        switch (type)
        {
            case MetricType.LongSum or MetricType.LongSumNonMonotonic:
                Sample(name, "", labels, point.GetSumLong());
                break;
            case MetricType.DoubleSum or MetricType.DoubleSumNonMonotonic:
                Sample(name, "", labels, point.GetSumDouble());
                break;
            case MetricType.LongGauge:
                Sample(name, "", labels, point.GetGaugeLastValueLong());
                break;
            case MetricType.DoubleGauge:
                Sample(name, "", labels, point.GetGaugeLastValueDouble());
                break;
            case MetricType.Histogram:
                WriteHistogram(name, labels, in point);
                break;
        }
    }

    private void WriteHistogram(string name, string labels, in MetricPoint point)
    {
        var cumulative = 0L;
        var separator = labels.Length == 0 ? "" : ",";
        foreach (var bucket in point.GetHistogramBuckets())
        {
            cumulative += bucket.BucketCount;
            Sample(name, "_bucket", $"{labels}{separator}le=\"{Number(bucket.ExplicitBound)}\"", cumulative);
        }

        Sample(name, "_sum", labels, point.GetHistogramSum());
        Sample(name, "_count", labels, cumulative);
    }

    private void Sample(string name, string suffix, string labels, double value)
    {
        writer.Write(name);
        writer.Write(suffix);
        if (labels.Length > 0)
        {
            writer.Write('{');
            writer.Write(labels);
            writer.Write('}');
        }

        writer.Write(' ');
        writer.WriteLine(Number(value));
    }

    private static string Number(double value) => value switch
    {
        double.PositiveInfinity => "+Inf",
        double.NegativeInfinity => "-Inf",
        _ => value.ToString("R", CultureInfo.InvariantCulture),
    };

    private static string? TypeOf(MetricType type) => type switch
    {
        MetricType.LongSum or MetricType.DoubleSum => "counter",
        MetricType.LongSumNonMonotonic or MetricType.DoubleSumNonMonotonic or MetricType.LongGauge or MetricType.DoubleGauge => "gauge",
        MetricType.Histogram => "histogram",
        _ => null,
    };
}
