using System.CommandLine;
using System.Globalization;
using TokenFactory.Administration.Configuration;
using TokenFactory.Administration.Iam;
using TokenFactory.Gateway.Hosting;
using TokenFactory.Storage;
using TokenFactory.Storage.Transfer;

namespace TokenFactory.Gateway.Commands;

/// <summary>
/// <c>gateway migrate export</c> and <c>import</c>: a whole installation through a file, from either store into either. Progress goes to
/// standard error, and so does everything else while standard output is the file.
/// </summary>
internal static class TransferCommands
{
    private const string Pipe = "-";

    public static Command CreateExport(Option<FileInfo?> config, Option<DirectoryInfo> data)
    {
        var to = new Option<string>("--out") { Description = "The file to write; - is standard output.", HelpName = "FILE", Required = true };
        var command = new Command("export", "Writes everything the store holds to one file, for 'import'. Changes nothing.") { to };
        command.SetAction((parsed, cancel) => RunAsync(
            parsed.GetValue(config), parsed.GetValue(data)!, parsed.GetValue(to)! == Pipe ? Console.Error : Console.Out,
            (installation, output) => ExportAsync(installation, parsed.GetValue(to)!, output, cancel), cancel));
        return command;
    }

    public static Command CreateImport(Option<FileInfo?> config, Option<DirectoryInfo> data)
    {
        var from = new Option<string>("--in") { Description = "The file to read; - is standard input.", HelpName = "FILE", Required = true };
        var otherPepper = new Option<bool>("--other-pepper") { Description = "Import although the pepper of the file's keys is not here: the keys will not be recognised." };
        var command = new Command("import", "Fills an empty store with a file that 'export' wrote, and proves that nothing differs.") { from, otherPepper };
        command.SetAction((parsed, cancel) => RunAsync(
            parsed.GetValue(config), parsed.GetValue(data)!, Console.Out,
            (installation, output) => ImportAsync(installation, parsed.GetValue(from)!, parsed.GetValue(otherPepper), output, cancel), cancel));
        return command;
    }

    private static async Task<int> RunAsync(FileInfo? config, DirectoryInfo data, TextWriter output, Func<Installation, TextWriter, Task> run, CancellationToken cancel)
    {
        var source = new ConfigurationSource(config?.FullName, OpenedStore.EnvironmentVariables());
        if (await InstallationConfiguration.ReadOrSaySoAsync(source, data.FullName, cancel) is not { } configuration)
        {
            return 1;
        }

        await using var services = new ServiceCollection().AddStore(configuration, data.FullName, Ids.New(TimeProvider.System)).BuildServiceProvider();
        try
        {
            await run(new Installation(configuration, data.FullName, services.GetRequiredService<StorageTransfer>()), output);
            return 0;
        }
        catch (Exception reason) when (reason is StorageException or InvalidDataException or IOException or UnauthorizedAccessException)
        {
            return await OpenedStore.RefuseAsync("gateway: " + reason.Message);
        }
        catch (OperationCanceledException)
        {
            return await OpenedStore.RefuseAsync("gateway: told to stop; nothing was kept");
        }
    }

    private static async Task ExportAsync(Installation installation, string path, TextWriter output, CancellationToken cancel)
    {
        var peppers = PepperMarks.Of(installation.Configuration, installation.Data);
        var progress = new ProgressLines(Console.Error, TimeProvider.System);
        IReadOnlyList<TransferredTable> tables;
        if (path == Pipe)
        {
            await using var pipe = Console.OpenStandardOutput();
            tables = await installation.Transfer.ExportAsync(pipe, ProductVersion.Current.Version, peppers, progress.Show, cancel);
        }
        else
        {
            tables = await WholeFile.WriteAsync(path, file => installation.Transfer.ExportAsync(file, ProductVersion.Current.Version, peppers, progress.Show, cancel));
        }

        await output.WriteLineAsync(Table(tables, "checksum", static table => table.Sha256[..16]));
        await output.WriteLineAsync("Not in the file, and to be carried over: " + string.Join("; ", Beside(installation)) + ".");
    }

    private static async Task ImportAsync(Installation installation, string path, bool isOtherPepperFine, TextWriter output, CancellationToken cancel)
    {
        var progress = new ProgressLines(Console.Error, TimeProvider.System);
        await using var file = path == Pipe ? Console.OpenStandardInput() : File.OpenRead(path);
        TransferHeader? header = null;
        var tables = await installation.Transfer.ImportAsync(
            file,
            found =>
            {
                header = found;
                return isOtherPepperFine ? null : MissingPepper(installation, found);
            },
            progress.Show, cancel);

        await output.WriteLineAsync(Table(tables, "checksum", static _ => "ok"));
        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture, $"Imported what gateway {header!.Gateway} exported from {header.Store} at {header.ExportedAt:yyyy-MM-dd HH:mm:ss}Z. Do not start that one again: both would bill."));
    }

    /// <summary>Keys are kept as digests under it: without the same one, none of them is recognised.</summary>
    private static string? MissingPepper(Installation installation, TransferHeader header)
    {
        var missing = PepperMarks.Missing(header.Peppers, PepperMarks.Of(installation.Configuration, installation.Data));
        return missing.Count == 0
            ? null
            : $"The file's keys were digested under pepper {string.Join(", ", missing)}, which is missing here or is another one, so no key would be recognised. "
                + $"Carry the pepper over: give iam.pepper the same reference's contents (of a data directory without iam.pepper it is its file 'pepper': iam: {{ pepper: file:PATH }}), or put that file into {installation.Data}. "
                + "To import without the keys, add --other-pepper.";
    }

    private static IEnumerable<string> Beside(Installation installation)
    {
        yield return "the configuration file, with what its references name";
        yield return installation.Configuration.Iam.Peppers.Count > 0
            ? "the pepper (iam.pepper)"
            : $"the pepper {Path.Combine(installation.Data, "pepper")}, as the same file beside another SQLite store or as iam.pepper: file:PATH";
        yield return "what file sinks have written";
    }

    private static string Table(IReadOnlyList<TransferredTable> tables, string head, Func<TransferredTable, string> last) => TextTable.Of(
        ["table", "rows", head],
        [.. tables.Select(table => (string[])[table.Table, table.Rows.ToString(CultureInfo.InvariantCulture), last(table)])]);

    private sealed record Installation(GatewayConfiguration Configuration, string Data, StorageTransfer Transfer);
}
