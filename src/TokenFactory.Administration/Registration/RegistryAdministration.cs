using TokenFactory.Administration.Configuration;
using TokenFactory.Administration.Configuration.Reading;
using TokenFactory.Storage.Registry;

namespace TokenFactory.Administration.Registration;

/// <summary>
/// Changes the registry by hand. A change is taken if the whole configuration, the file and everything registered, can be read with it:
/// what is in the tables is always something that a gateway can run.
/// </summary>
public sealed class RegistryAdministration(RegistryTables tables, ConfigurationSource source, TimeProvider clock)
{
    public Task<RegistryContent> ReadAsync(CancellationToken cancel) => tables.ReadAsync(cancel);

    public Task<IReadOnlyList<(RegistryRevision Revision, RegistryChange Change)>> HistoryAsync(
        RegistryKind kind, string name, int limit, CancellationToken cancel) => tables.HistoryAsync(kind, name, limit, cancel);

    /// <summary>Registers what a text says: documents of one kind, or with null the sections of several.</summary>
    /// <param name="name">What mistakes call the text.</param>
    /// <param name="by">Who does it, for the history.</param>
    public async Task<RegistryOutcome> PutAsync(RegistryKind? kind, string text, string name, string by, CancellationToken cancel)
    {
        var mistakes = new List<ConfigurationMistake>();
        var edits = kind is { } one ? RegistryText.Read(one, text, name, mistakes) : RegistryText.ReadSections(text, name, mistakes);
        return mistakes.Count > 0 ? RegistryOutcome.Refused(mistakes.Select(mistake => mistake.ToString())) : await ChangeAsync(edits, by, cancel);
    }

    public async Task<RegistryOutcome> RemoveAsync(RegistryKind kind, string name, string by, CancellationToken cancel) =>
        await ChangeAsync([new RegistryEdit(kind, name, null)], by, cancel);

    /// <summary>Takes a registered deployment out of every plan, or back in; nothing else of it changes.</summary>
    public async Task<RegistryOutcome> EnableAsync(string deployment, bool isEnabled, string by, CancellationToken cancel)
    {
        var known = await tables.ReadAsync(cancel);
        var edit = new RegistryEdit(RegistryKind.Deployment, deployment, null);
        if (RefusalOf(edit, known) is { } refusal)
        {
            return RegistryOutcome.Refused([refusal]);
        }

        var origin = new Origin(deployment, 1, 1);
        var document = JsonTree.Read(Find(known, edit)!.Body, origin) ?? new MappingNode(origin);
        document.Entries.RemoveAll(entry => entry.Key == "enabled");
        if (!isEnabled)
        {
            document.Entries.Add(new Entry("enabled", origin, new ScalarNode(origin, "false", isPlain: true)));
        }

        return await ChangeAsync([edit with { Body = JsonTree.Write(document) }], by, cancel);
    }

    private async Task<RegistryOutcome> ChangeAsync(IReadOnlyList<RegistryEdit> edits, string by, CancellationToken cancel)
    {
        var known = await tables.ReadAsync(cancel);
        var refusals = edits.Select(edit => RefusalOf(edit, known)).OfType<string>().ToArray();
        if (refusals.Length > 0)
        {
            return RegistryOutcome.Refused(refusals);
        }

        var changing = edits.Where(edit => Find(known, edit) is not { } there || there.Body != edit.Body).ToArray();
        if (changing.Length == 0)
        {
            return new RegistryOutcome(known.Revision, 0, []);
        }

        // What stands now may have a mistake already, in the file: then it is told, and mended first.
        var reading = source.ReadWith(known.With(RegistryOrigin.Operator, changing, clock.GetUtcNow()));
        if (reading.Configuration is null)
        {
            return RegistryOutcome.Refused(reading.Mistakes.Select(mistake => mistake.ToString()));
        }

        try
        {
            var revision = await tables.ApplyAsync(known, RegistryOrigin.Operator, changing, by, feedVersion: null, cancel);
            return new RegistryOutcome(revision, changing.Length, []);
        }
        catch (RegistryConflictException conflict)
        {
            return RegistryOutcome.Refused([conflict.Message]);
        }
    }

    private static RegistryDocument? Find(RegistryContent known, RegistryEdit edit) =>
        known.Documents.FirstOrDefault(document => document.Kind == edit.Kind && document.Name == edit.Name);

    private static string? RefusalOf(RegistryEdit edit, RegistryContent known)
    {
        var word = RegistrySections.WordOf(edit.Kind);
        return Find(known, edit) switch
        {
            { Origin: RegistryOrigin.ControlPlane } => $"the {word} '{edit.Name}' is the control plane's (registry.url): change it there",
            null when edit.Body is null => $"there is no registered {word} named '{edit.Name}': `gateway admin {RegistrySections.SectionOf(edit.Kind)} list` shows them, and those of the configuration file are changed in the file",
            _ => null,
        };
    }
}
