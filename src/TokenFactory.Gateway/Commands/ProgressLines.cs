using System.Globalization;
using TokenFactory.Storage.Transfer;

namespace TokenFactory.Gateway.Commands;

/// <summary>How far a transfer is: a line for each table, and one every two seconds while a table takes longer.</summary>
internal sealed class ProgressLines(TextWriter output, TimeProvider clock)
{
    private static readonly TimeSpan _every = TimeSpan.FromSeconds(2);

    private long _shown = clock.GetTimestamp();

    public void Show(TransferProgress progress)
    {
        if (!progress.IsTableDone && clock.GetElapsedTime(_shown) < _every)
        {
            return;
        }

        _shown = clock.GetTimestamp();
        var rate = progress.Elapsed > TimeSpan.Zero ? progress.Rows / progress.Elapsed.TotalSeconds : 0;
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{progress.Step}  {progress.Table}  {progress.Rows} rows{(progress.IsTableDone ? "" : " so far")}  {rate:F0}/s"));
    }
}
