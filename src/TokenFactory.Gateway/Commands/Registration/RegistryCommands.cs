using System.CommandLine;
using System.Globalization;
using TokenFactory.Administration.Registration;
using TokenFactory.Gateway.Commands.Models;
using TokenFactory.Storage.Registry;

namespace TokenFactory.Gateway.Commands.Registration;

/// <summary><c>gateway admin providers</c>, <c>deployments</c>, <c>models</c> and <c>tiers</c>: what is in force, and registering what the file does not say.</summary>
internal static class RegistryCommands
{
    private const int HistoryPage = 100;

    public static IEnumerable<Command> Create() =>
    [
        Of(RegistryKind.Provider, "providers", "provider", "who runs backends"),
        Of(RegistryKind.Deployment, "deployments", "deployment", "upstream models at providers", Enabling("enable", true), Enabling("disable", false)),
        Of(RegistryKind.Model, "models", "model", "what callers ask for, which deployments serve it, and how they answer", ModelAuditCommand.Create()),
        Of(RegistryKind.Tier, "tiers", "tier", "service levels"),
        new Command("registry", "Register several kinds at once") { Apply() },
    ];

    /// <summary>For the history: who ran the command.</summary>
    private static string By => $"{Environment.UserName}@{Environment.MachineName}";

    private static Command Of(RegistryKind kind, string name, string word, string what, params ReadOnlySpan<Command> more)
    {
        var command = new Command(name, $"List, register and remove {name}: {what}") { List(kind, name), Show(kind, word), Put(kind, word), Remove(kind, word), History(kind, word) };
        foreach (var one in more)
        {
            command.Subcommands.Add(one);
        }

        return command;
    }

    private static Command List(RegistryKind kind, string name)
    {
        var store = new StoreOptions();
        var json = new Option<bool>("--json") { Description = "As JSON" };
        var command = new Command("list", $"The {name} in force, from the configuration file and the registry") { json };
        store.AddTo(command);
        command.SetAction((result, cancel) => OpenedStore.RunAsync(store, result, async opened =>
        {
            var rows = RegistryRows.Of(kind, opened.Configuration, await opened.Registry.ReadAsync(cancel));
            await Console.Out.WriteLineAsync(result.GetValue(json) ? rows.Json() : rows.Table());
            return 0;
        }, cancel));
        return command;
    }

    private static Command Show(RegistryKind kind, string word)
    {
        var store = new StoreOptions();
        var name = Name(word);
        var command = new Command("show", $"A registered {word} as JSON, as `put` takes it") { name };
        store.AddTo(command);
        command.SetAction((result, cancel) => OpenedStore.RunAsync(store, result, async opened =>
        {
            var wanted = result.GetValue(name)!;
            var content = await opened.Registry.ReadAsync(cancel);
            if (content.Documents.FirstOrDefault(document => document.Kind == kind && document.Name == wanted) is not { } found)
            {
                return await OpenedStore.RefuseAsync($"There is no registered {word} named '{wanted}'. What the configuration file defines is shown there.");
            }

            await Console.Out.WriteLineAsync(RegistryRows.Indented(found.Body));
            return 0;
        }, cancel));
        return command;
    }

    private static Command Put(RegistryKind kind, string word)
    {
        var store = new StoreOptions();
        var file = Source();
        var command = new Command("put", $"Register a {word}, or replace the registered one of its name: YAML or JSON of the configuration's shape, or a list of them") { file };
        store.AddTo(command);
        command.SetAction((result, cancel) => OpenedStore.RunAsync(
            store, result, opened => PutAsync(opened, kind, result.GetValue(file)!, cancel), cancel));
        return command;
    }

    private static Command Apply()
    {
        var store = new StoreOptions();
        var file = Source();
        var command = new Command("apply", "Register everything of a file with the sections providers, deployments, models and tiers, at once or not at all") { file };
        store.AddTo(command);
        command.SetAction((result, cancel) => OpenedStore.RunAsync(
            store, result, opened => PutAsync(opened, null, result.GetValue(file)!, cancel), cancel));
        return command;
    }

    private static Command Remove(RegistryKind kind, string word)
    {
        var store = new StoreOptions();
        var name = Name(word);
        var command = new Command("remove", $"Remove a registered {word} that nothing refers to any more") { name };
        store.AddTo(command);
        command.SetAction((result, cancel) => OpenedStore.RunAsync(
            store, result, async opened => await ToldAsync(await opened.Registry.RemoveAsync(kind, result.GetValue(name)!, By, cancel)), cancel));
        return command;
    }

    private static Command Enabling(string verb, bool isEnabled)
    {
        var store = new StoreOptions();
        var name = Name("deployment");
        var command = new Command(verb, isEnabled ? "Give a disabled deployment requests again" : "Give a registered deployment no more requests; those it runs run to their end") { name };
        store.AddTo(command);
        command.SetAction((result, cancel) => OpenedStore.RunAsync(
            store, result, async opened => await ToldAsync(await opened.Registry.EnableAsync(result.GetValue(name)!, isEnabled, By, cancel)), cancel));
        return command;
    }

    private static Command History(RegistryKind kind, string word)
    {
        var store = new StoreOptions();
        var name = Name(word);
        var command = new Command("history", $"What became of a registered {word}, its prices included: the newest first") { name };
        store.AddTo(command);
        command.SetAction((result, cancel) => OpenedStore.RunAsync(store, result, async opened =>
        {
            var wanted = result.GetValue(name)!;
            var changes = await opened.Registry.HistoryAsync(kind, wanted, HistoryPage, cancel);
            if (changes.Count == 0)
            {
                return await OpenedStore.RefuseAsync($"There never was a registered {word} named '{wanted}'.");
            }

            await Console.Out.WriteLineAsync(TextTable.Of(
                ["revision", "at", "by", "became"],
                [.. changes.Select(one => (string[])
                [
                    one.Revision.Revision.ToString(CultureInfo.InvariantCulture),
                    one.Revision.ChangedAt.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture),
                    one.Revision.Origin == RegistryOrigin.ControlPlane ? $"control plane {one.Revision.ChangedBy}, version {one.Revision.FeedVersion}" : one.Revision.ChangedBy,
                    one.Change.Body ?? "(removed)",
                ])]));
            return 0;
        }, cancel));
        return command;
    }

    private static async Task<int> PutAsync(OpenedStore opened, RegistryKind? kind, string path, CancellationToken cancel)
    {
        string text;
        try
        {
            text = path == "-" ? await Console.In.ReadToEndAsync(cancel) : await File.ReadAllTextAsync(path, cancel);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return await OpenedStore.RefuseAsync($"{path} cannot be read: {e.Message}");
        }

        return await ToldAsync(await opened.Registry.PutAsync(kind, text, path == "-" ? "(standard input)" : path, By, cancel));
    }

    private static async Task<int> ToldAsync(RegistryOutcome outcome)
    {
        if (outcome.Refusals.Count > 0)
        {
            return await OpenedStore.RefuseAsync("Nothing was changed:" + Environment.NewLine + string.Join(Environment.NewLine, outcome.Refusals.Select(why => "  " + why)));
        }

        await Console.Out.WriteLineAsync(outcome.Changed == 0
            ? $"That is what is registered already: revision {outcome.Revision}."
            : $"Revision {outcome.Revision}: {outcome.Changed} changed. Running gateways have it within two seconds.");
        return 0;
    }

    private static Argument<string> Name(string word) => new("name") { Description = $"The {word}'s name, as `list` shows it" };

    private static Argument<string> Source() => new("file") { Description = "The file to read, or - for standard input" };
}
