using TokenFactory.Administration.Configuration.Reading;
using TokenFactory.Administration.Registration;
using TokenFactory.Storage.Registry;

namespace TokenFactory.Administration.Configuration;

/// <summary>
/// YAML and environment → <see cref="GatewayConfiguration"/>, or every mistake at once (P12): reading never stops at the
/// first one, because each start that fails for one more reason is an outage that lasts longer.
/// </summary>
public static class ConfigurationReader
{
    private const long MaxFileBytes = 4 << 20;

    /// <summary>Reads a file; null reads only the environment's overrides over the defaults.</summary>
    /// <param name="registry">What is registered beside the file; null is nothing.</param>
    public static ConfigurationReading ReadFile(string? path, IReadOnlyDictionary<string, string> environment, RegistryContent? registry = null)
    {
        if (path is null)
        {
            return ReadText("", "(defaults)", environment, registry: registry);
        }

        var file = Path.GetFullPath(path);
        try
        {
            if (!File.Exists(file))
            {
                return Refused(path, file, "this file does not exist: check --config");
            }

            if (new FileInfo(file).Length > MaxFileBytes)
            {
                return Refused(path, file, $"larger than {MaxFileBytes >> 20} MB: this is no configuration");
            }

            var reading = ReadText(File.ReadAllText(file), path, environment, Path.GetDirectoryName(file)!, registry);
            return reading with { Files = [file, .. reading.Files] };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Refused(path, file, "this file cannot be read: check its permissions");
        }
    }

    /// <summary>Where the store is, before what is registered in it is known; null when the file does not say, which reading it whole tells.</summary>
    public static (StoreSettings Store, LedgerSettings Ledger)? ReadStore(string? path, IReadOnlyDictionary<string, string> environment)
    {
        try
        {
            var file = path is null ? null : Path.GetFullPath(path);
            var context = new ReadingContext(path ?? "(defaults)", file is null ? Directory.GetCurrentDirectory() : Path.GetDirectoryName(file)!, environment);
            var root = new YamlTree(file is null || new FileInfo(file).Length > MaxFileBytes ? "" : File.ReadAllText(file), context).Read();
            EnvironmentOverrides.Apply(root, context);
            var section = new Section(root, "", context);
            var settings = (ProcessSections.Store(section["store"].SectionOrEmpty()), ProcessSections.Ledger(section["ledger"].SectionOrEmpty()));
            return context.Mistakes.Count > 0 ? null : settings;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <param name="source">What mistakes call the text: its file name.</param>
    /// <param name="directory">What <c>file:</c> references are relative to.</param>
    public static ConfigurationReading ReadText(
        string yaml, string source, IReadOnlyDictionary<string, string> environment, string? directory = null, RegistryContent? registry = null)
    {
        var context = new ReadingContext(source, directory ?? Directory.GetCurrentDirectory(), environment);
        var root = new YamlTree(yaml, context).Read();
        EnvironmentOverrides.Apply(root, context);
        RegistrySections.Append(root, registry ?? RegistryContent.Empty, context);
        var configuration = Read(new Section(root, "", context), context);
        return new ConfigurationReading
        {
            Configuration = context.Mistakes.Count > 0
                ? null
                : configuration with { Revision = Revisions.Of([.. Revisions.PartsOf(root), .. context.SecretDigests]) },
            Mistakes = context.Mistakes,
            Files = context.Files,
        };
    }

    private static GatewayConfiguration Read(Section root, ReadingContext context)
    {
        var registry = RegistrySection.Read(root["registry"].SectionOrEmpty(), context);

        // In the order of reference: what is referred to is read before what refers to it.
        var iam = ProcessSections.Iam(root["iam"].SectionOrEmpty());
        if (iam.Platform is not null)
        {
            PlatformSection.RefuseSubjects(root);
        }

        var providers = ProviderSection.Read(root["providers"]);
        var deployments = DeploymentSection.Read(root["deployments"], providers);
        var models = ModelSection.Read(root["models"], deployments);
        var tiers = TenantSection.ReadTiers(root["tiers"]);
        var tenants = new TenantSection(providers, new KeySection(iam.Peppers)).ReadTenants(root["tenants"], tiers);
        var policy = PolicySection.Read(root["policy"].SectionOrEmpty(), context, providers, deployments);
        var configuration = new GatewayConfiguration
        {
            Revision = "",
            Store = ProcessSections.Store(root["store"].SectionOrEmpty()),
            Limiter = ProcessSections.Limiter(root["limiter"].SectionOrEmpty()),
            Iam = iam,
            Server = ProcessSections.Server(root["server"].SectionOrEmpty()),
            Telemetry = ProcessSections.Telemetry(root["telemetry"].SectionOrEmpty()),
            Guard = ProcessSections.Guard(root["guard"].SectionOrEmpty()),
            Infer = InferSection.Read(root["infer"].SectionOrEmpty(), context, models),
            Policy = policy.Bundle,
            ShadowPolicy = policy.Shadow,
            ExternalPolicy = policy.External,
            Ledger = ProcessSections.Ledger(root["ledger"].SectionOrEmpty()),
            Sinks = SinkSection.Read(root["sinks"]),
            Registry = registry,
            Providers = [.. providers.Values],
            Deployments = [.. deployments.Values],
            Models = [.. models.Values],
            Tiers = [.. tiers.Values],
            Tenants = tenants,
        };
        ProcessSections.RequireSharedPepper(configuration.Store, root["iam"].SectionOrEmpty()["pepper"]);
        root.RefuseUnknownKeys();
        return configuration;
    }

    private static ConfigurationReading Refused(string source, string file, string message) => new()
    {
        Configuration = null,
        Mistakes = [new ConfigurationMistake(source, 0, 0, "", message)],
        Files = [file],
    };
}
