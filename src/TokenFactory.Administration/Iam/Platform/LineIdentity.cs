using System.Text.Json;
using TokenFactory.Administration.Configuration.Reading;

namespace TokenFactory.Administration.Iam.Platform;

/// <summary>What a line speaks of that cannot be read as a whole: enough to close it, and nothing else is taken from such a line.</summary>
internal static class LineIdentity
{
    public static SubjectId? Find(ReadOnlySpan<byte> line)
    {
        string? type = null, id = null, tenant = null, name = null;
        try
        {
            var reader = new Utf8JsonReader(line);
            while (reader.Read())
            {
                if (reader.TokenType != JsonTokenType.PropertyName || reader.CurrentDepth != 1)
                {
                    continue;
                }

                var member = reader.GetString();
                if (reader.Read() && reader.TokenType == JsonTokenType.String)
                {
                    _ = member switch
                    {
                        "type" => type = Once(type, reader.GetString()),
                        "id" => id = Once(id, reader.GetString()),
                        "tenant" => tenant = Once(tenant, reader.GetString()),
                        "name" => name = Once(name, reader.GetString()),
                        _ => null,
                    };
                }
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // What was read before the fault may be enough.
        }

        return Of(type, id, tenant, name);
    }

    /// <summary>Null unless every part that the kind needs is there and has a name's form.</summary>
    public static SubjectId? Of(string? type, string? id, string? tenant, string? name)
    {
        (SubjectKind Kind, string? Tenant, string? Name)? found = type switch
        {
            "tier" => (SubjectKind.Tier, null, name),
            "tenant" => (SubjectKind.Tenant, null, name),
            "project" => (SubjectKind.Project, tenant ?? "", name),
            "user" => (SubjectKind.User, tenant ?? "", name),
            "key" => (SubjectKind.Key, null, id),
            _ => null,
        };
        return found is { Name: not null } subject && Names.AreValid(subject.Name) && (subject.Tenant is null || Names.AreValid(subject.Tenant))
            ? new SubjectId(subject.Kind, subject.Tenant, subject.Name)
            : null;
    }

    // Two different ones: nobody can say which is meant.
    private static string? Once(string? before, string? now) => before is null || before == now ? now : "";
}
