using System.CommandLine;
using System.Globalization;
using TokenFactory.Administration.Audit;
using TokenFactory.Administration.Usage;
using TokenFactory.Gateway.Commands.Usage;

namespace TokenFactory.Gateway.Commands.Audit;

/// <summary><c>gateway audit export</c>: a period of the trail as a file, with a manifest beside it.</summary>
internal static class AuditExportCommand
{
    private static readonly Option<string> _out = new("--out") { Description = "The file to write; FILE.manifest.json is written beside it", HelpName = "FILE", Required = true };
    private static readonly Option<string> _format = new("--format") { Description = "jsonl, which can be verified by itself, or csv", DefaultValueFactory = _ => AuditExport.JsonLines };
    private static readonly Option<string?> _tenant = new("--tenant") { Description = "Only this tenant's" };
    private static readonly Option<string?> _project = new("--project") { Description = "Only this project's" };
    private static readonly Option<string?> _from = new("--from") { Description = "Of requests that came at or after this date or time (UTC)" };
    private static readonly Option<string?> _until = new("--until") { Description = "Of requests that came before this date or time (UTC)" };

    public static Command Create()
    {
        _format.AcceptOnlyFromAmong(AuditExport.JsonLines, AuditExport.Csv);
        var store = new StoreOptions();
        var command = new Command("export", "Write a period of the audit trail to a file, with a manifest that proves it later") { _out, _format, _tenant, _project, _from, _until };
        store.AddTo(command);
        command.SetAction((result, cancel) => OpenedStore.RunAsync(store, result, opened => RunAsync(opened, result, cancel), cancel));
        return command;
    }

    private static async Task<int> RunAsync(OpenedStore opened, ParseResult result, CancellationToken cancel)
    {
        var question = UsageQuestion.OfAudit(Parameters(result));
        if (question.Refusal is { } refusal)
        {
            return await OpenedStore.RefuseAsync(UsageOptions.Explain(refusal));
        }

        try
        {
            var path = result.GetValue(_out)!;
            var filter = question.AuditFilterFor(result.GetValue(_tenant), result.GetValue(_project));
            var export = new AuditExport(opened.AuditTrail, opened.Clock, ProductVersion.Current.Version);
            var manifest = await WholeFile.WriteAsync(path, file => export.WriteAsync(file, filter, result.GetValue(_format)!, cancel));
            await WholeFile.WriteAsync($"{path}.manifest.json", async file =>
            {
                await using var writer = new StreamWriter(file, leaveOpen: true);
                await writer.WriteLineAsync(manifest.ToJson());
                return true;
            });
            await Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{manifest.Records} records, SHA-256 {manifest.Sha256}"));
            return 0;
        }
        catch (Exception reason) when (reason is IOException or UnauthorizedAccessException)
        {
            return await OpenedStore.RefuseAsync(reason.Message);
        }
    }

    private static Dictionary<string, string> Parameters(ParseResult result) =>
        new[] { ("from", result.GetValue(_from)), ("until", result.GetValue(_until)) }
            .Where(one => one.Item2 is not null).ToDictionary(one => one.Item1, one => one.Item2!, StringComparer.Ordinal);
}
