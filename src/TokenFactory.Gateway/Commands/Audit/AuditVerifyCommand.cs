using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using TokenFactory.Administration.Audit;
using TokenFactory.Storage.Audit;

namespace TokenFactory.Gateway.Commands.Audit;

/// <summary>
/// <c>gateway audit verify</c>: walks every chain of the store, or one exported file by itself; exit code 1 when anything was edited,
/// removed or moved.
/// </summary>
internal static class AuditVerifyCommand
{
    private static readonly JsonSerializerOptions _json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true };

    private static readonly Option<string?> _file = new("--file") { Description = "Check this JSON Lines export and no store", HelpName = "FILE" };
    private static readonly Option<string?> _manifest = new("--manifest") { Description = "The manifest of an earlier export: what it tells of must be there unchanged", HelpName = "FILE" };
    private static readonly Option<bool> _asJson = new("--json") { Description = "As JSON" };

    public static Command Create()
    {
        var store = new StoreOptions();
        var command = new Command("verify", "Prove that no audit record was edited, removed or moved; exit code 1 when one was") { _file, _manifest, _asJson };
        store.AddTo(command);
        command.SetAction((result, cancel) => RunAsync(store, result, cancel));
        return command;
    }

    private static async Task<int> RunAsync(StoreOptions store, ParseResult result, CancellationToken cancel)
    {
        try
        {
            var manifest = result.GetValue(_manifest) is { } path ? AuditManifest.Parse(await File.ReadAllTextAsync(path, cancel)) : null;
            if (result.GetValue(_file) is { } file)
            {
                await using var stream = File.OpenRead(file);
                return await TellAsync(
                    await AuditFile.VerifyAsync(stream, manifest, cancel),
                    manifest is null ? "each is whole; whether one is missing only the manifest tells (--manifest)" : "none was edited, removed or moved", result);
            }

            var progress = new Progress(Console.Error);
            return await OpenedStore.RunAsync(store, result, async opened => await TellAsync(await opened.AuditVerifier.VerifyAsync(manifest?.Ends() ?? [], progress, cancel), "none was edited, removed or moved", result), cancel);
        }
        catch (Exception reason) when (reason is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            return await OpenedStore.RefuseAsync(reason.Message);
        }
    }

    private static async Task<int> TellAsync(AuditReport report, string praise, ParseResult result)
    {
        await Console.Out.WriteLineAsync(result.GetValue(_asJson) ? JsonSerializer.Serialize(report, _json) : Text(report, praise));
        return report.Findings.Count == 0 ? 0 : 1;
    }

    private static string Text(AuditReport report, string praise)
    {
        var looked = string.Create(CultureInfo.InvariantCulture, $"{report.Records} records in {report.Chains} chains");
        if (report.Findings.Count == 0)
        {
            return $"{looked}: {praise}";
        }

        var table = TextTable.Of(
            ["CHAIN", "SEQUENCE", "RECORD", "FINDING"],
            [.. report.Findings.Select(one => (string[])[one.Chain?.ToString() ?? "-", one.Sequence?.ToString(CultureInfo.InvariantCulture) ?? "-", one.Record?.ToString() ?? "-", one.What])]);
        return $"{looked}: {report.Findings.Count}{(report.IsCut ? " and more" : "")} findings{Environment.NewLine}{table}";
    }

    /// <summary>Written as it comes: a handler of its own thread could write after the report.</summary>
    private sealed class Progress(TextWriter output) : IProgress<long>
    {
        public void Report(long value) => output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{value} records so far"));
    }
}
