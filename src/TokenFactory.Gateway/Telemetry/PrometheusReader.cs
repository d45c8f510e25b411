using System.IO.Pipelines;
using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace TokenFactory.Gateway.Telemetry;

/// <summary>Collects the SDK's metrics when asked and renders them as Prometheus text. One scrape at a time; the page is
/// rendered into one buffer that is kept, so that scraping makes no garbage to speak of.</summary>
internal sealed class PrometheusReader : IDisposable
{
    private readonly Page _page = new();
    private readonly SemaphoreSlim _turn = new(1, 1);

    public PrometheusReader() => Reader = new BaseExportingMetricReader(_page);

    public MetricReader Reader { get; }

    public async Task WriteAsync(PipeWriter writer, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            _page.Clear();
            Reader.Collect();
            await writer.WriteAsync(_page.Bytes, cancellationToken);
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose()
    {
        Reader.Dispose();
        _turn.Dispose();
    }

    [ExportModes(ExportModes.Pull)]
    private sealed class Page : BaseExporter<Metric>, IPullMetricExporter
    {
        private readonly MemoryStream _bytes = new();

        /// <summary>Set by the SDK; the reader above collects by itself.</summary>
        public Func<int, bool>? Collect { get; set; }

        public ReadOnlyMemory<byte> Bytes => _bytes.GetBuffer().AsMemory(0, (int)_bytes.Length);

        public void Clear() => _bytes.SetLength(0);

        public override ExportResult Export(in Batch<Metric> batch)
        {
            using var writer = new StreamWriter(_bytes, leaveOpen: true) { NewLine = "\n" };
            var text = new PrometheusText(writer);
            text.WriteTarget(ParentProvider.GetResource());
            text.Write(batch);
            return ExportResult.Success;
        }

        protected override void Dispose(bool disposing)
        {
            _bytes.Dispose();
            base.Dispose(disposing);
        }
    }
}
