using System.Collections.Frozen;
using System.Security.Cryptography;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Routes;
using TokenFactory.Inference.ReadModel.Schemas;

namespace TokenFactory.Administration.Configuration.Reading.Sections;

/// <summary>The <c>infer</c> section: default models, moderation categories and output schemas of the sovereignty contract.</summary>
internal static class InferSection
{
    private const int MaxSchemaBytes = 1 << 20;

    private static readonly string[] _operations = ["generate", "embed", "classify", "moderate"];

    public static InferSettings Read(Section section, ReadingContext context, Named<ModelRoute> models)
    {
        var settings = new InferSettings
        {
            Models = Models(section["models"].SectionOrEmpty(), models).ToFrozenDictionary(StringComparer.Ordinal),
            Schemas = Schemas(section["schemas"], context).ToFrozenDictionary(StringComparer.Ordinal),
        };
        if (Categories(section["categories"]) is { Count: > 0 } categories)
        {
            settings = settings with { Categories = categories };
        }

        section.RefuseUnknownKeys();
        return settings;
    }

    private static Dictionary<string, string> Models(Section section, Named<ModelRoute> models)
    {
        var byOperation = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var operation in _operations)
        {
            if (section[operation].Text() is not { } name)
            {
                continue;
            }

            byOperation[operation] = name;
            if (!models.Values.Any(route => route.Pattern.Matches(name)))
            {
                section[operation].Mistake($"there is no model named '{name}'");
            }
            else if (!models.Values.Any(route => route.Pattern.Matches(name) && route.Targets.Any(target => target.Deployment.Provider.IsFor(tenant: null))))
            {
                section[operation].Mistake($"'{name}' is a tenant's own: it would be named to callers for whom it does not exist");
            }
        }

        section.RefuseUnknownKeys();
        return byOperation;
    }

    private static List<string> Categories(Field field)
    {
        var categories = new List<string>();
        foreach (var item in field.Items(256) ?? [])
        {
            if (item.Required("a category").Text(128) is { Length: > 0 } category)
            {
                categories.Add(category);
            }
        }

        return categories;
    }

    private static Dictionary<string, OutputSchema> Schemas(Field field, ReadingContext context)
    {
        var schemas = new Dictionary<string, OutputSchema>(StringComparer.Ordinal);
        foreach (var item in field.Items(1000) ?? [])
        {
            if (item.Required("a schema").Section() is not { } section)
            {
                continue;
            }

            var id = section["id"].Required("what requests call it").Name();
            var file = section["file"].Required("the path of a JSON Schema").Text(4096);
            section.RefuseUnknownKeys();
            if (id is null || file is null)
            {
                continue;
            }

            if (schemas.ContainsKey(id))
            {
                section["id"].Mistake($"the schema '{id}' is listed twice");
            }
            else if (Load(section["file"], id, file, context) is { } schema)
            {
                schemas[id] = schema;
            }
        }

        return schemas;
    }

    private static OutputSchema? Load(Field field, string id, string path, ReadingContext context)
    {
        var file = Path.GetFullPath(path, context.Directory);
        context.Files.Add(file);
        try
        {
            if (!File.Exists(file))
            {
                field.Mistake($"the file {path} does not exist: create it, or change the path");
                return null;
            }

            if (new FileInfo(file).Length > MaxSchemaBytes)
            {
                field.Mistake($"the file {path} is larger than {MaxSchemaBytes >> 20} MB: this is no schema");
                return null;
            }

            var json = File.ReadAllBytes(file);
            context.SecretDigests.Add(Convert.ToHexString(SHA256.HashData(json)));
            var (schema, mistake) = SchemaReader.Read(id, json);
            if (mistake is not null)
            {
                field.Mistake($"{path}: {mistake}");
            }

            return schema;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            field.Mistake($"the file {path} cannot be read: check its permissions");
            return null;
        }
    }
}
