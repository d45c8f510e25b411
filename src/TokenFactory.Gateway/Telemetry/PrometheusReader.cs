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

    /// <summary>False, and nothing written, when there is nothing to collect from: the provider is not built, or is gone.</summary>
    public async Task<bool> WriteAsync(PipeWriter writer, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            _page.Clear();
            if (_page.Collect?.Invoke(Timeout.Infinite) != true)
            {
                return false;
            }

            await writer.WriteAsync(_page.Bytes, cancellationToken);
            return true;
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

        /// <summary>Set by the SDK. The only way to collect: the reader's own method answers false unless called through this.</summary>
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
