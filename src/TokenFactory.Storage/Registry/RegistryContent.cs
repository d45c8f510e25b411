namespace TokenFactory.Storage.Registry;

/// <summary>Everything that is registered, read at one revision.</summary>
/// <param name="Revision">0 while nothing ever was.</param>
/// <param name="FeedVersion">Of the control plane's last answer that was taken; null while none was.</param>
public sealed record RegistryContent(long Revision, long? FeedVersion, IReadOnlyList<RegistryDocument> Documents)
{
    /// <summary>Which control plane that was.</summary>
    public string? FeedOf { get; init; }

    public static RegistryContent Empty { get; } = new(0, null, []);

    /// <summary>As it would be after these edits.</summary>
    public RegistryContent With(RegistryOrigin origin, IEnumerable<RegistryEdit> edits, DateTimeOffset at)
    {
        var documents = Documents.ToDictionary(document => (document.Kind, document.Name));
        foreach (var edit in edits)
        {
            if (edit.Body is null)
            {
                documents.Remove((edit.Kind, edit.Name));
                continue;
            }

            documents[(edit.Kind, edit.Name)] = new RegistryDocument
            {
                Kind = edit.Kind,
                Name = edit.Name,
                Origin = origin,
                Body = edit.Body,
                Revision = Revision + 1,
                ChangedAt = at,
            };
        }

        return this with { Documents = [.. documents.Values.OrderBy(document => document.Kind).ThenBy(document => document.Name, StringComparer.Ordinal)] };
    }
}
