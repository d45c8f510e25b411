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
        return mistakes.Count > 0 ? RegistryOutcome.Refused(mistakes.Select(mistake => mistake.ToString())) : await ChangeAsync(await tables.ReadAsync(cancel), edits, by, cancel);
    }

    public async Task<RegistryOutcome> RemoveAsync(RegistryKind kind, string name, string by, CancellationToken cancel) =>
        await ChangeAsync(await tables.ReadAsync(cancel), [new RegistryEdit(kind, name, null)], by, cancel);

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

        return await ChangeAsync(known, [edit with { Body = JsonTree.Write(document) }], by, cancel);
    }

    private async Task<RegistryOutcome> ChangeAsync(RegistryContent known, IReadOnlyList<RegistryEdit> edits, string by, CancellationToken cancel)
    {
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

        // What stands now may have mistakes already: whatever adds none may be changed, or nothing could be mended step by step.
        var mistakes = source.ReadWith(known.With(RegistryOrigin.Operator, changing, clock.GetUtcNow())).Mistakes.Select(mistake => mistake.ToString()).ToArray();
        if (mistakes.Length > 0)
        {
            var before = source.ReadWith(known).Mistakes.Select(mistake => mistake.ToString()).ToHashSet(StringComparer.Ordinal);
            if (mistakes.Any(mistake => !before.Contains(mistake)))
            {
                return RegistryOutcome.Refused(mistakes);
            }
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

    // What a control plane left behind that is asked no more is the operator's to change.
    private bool HasControlPlane => source.Read().Configuration is not { Registry.Feed: null };

    private string? RefusalOf(RegistryEdit edit, RegistryContent known)
    {
        var word = RegistrySections.WordOf(edit.Kind);
        return Find(known, edit) switch
        {
            { Origin: RegistryOrigin.ControlPlane } when HasControlPlane => $"the {word} '{edit.Name}' is the control plane's (registry.url): change it there",
            null when edit.Body is null => $"there is no registered {word} named '{edit.Name}': `gateway admin {RegistrySections.SectionOf(edit.Kind)} list` shows them, and those of the configuration file are changed in the file",
            _ => null,
        };
    }
}
