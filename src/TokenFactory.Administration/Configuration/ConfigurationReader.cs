using TokenFactory.Administration.Configuration.Reading;
using TokenFactory.Administration.Configuration.Reading.Sections;
using TokenFactory.Administration.Configuration.Settings;
using TokenFactory.Administration.Iam;
using TokenFactory.Administration.Registration;
using TokenFactory.Administration.Secrets;
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
        var (text, mistake) = TextOf(file);
        if (text is null)
        {
            return Refused(path, file, mistake!);
        }

        var reading = ReadText(text, path, environment, Path.GetDirectoryName(file)!, registry);
        return reading with { Files = [file, .. reading.Files] };
    }

    /// <summary>Only the keys of <c>secrets</c>: what is sealed under them is missing in the rest of the file until it is sealed.</summary>
    public static (SecretKeyring Keys, IReadOnlyList<ConfigurationMistake> Mistakes) ReadKeys(string? path, IReadOnlyDictionary<string, string> environment) =>
        ReadPart(path, environment, static root => SecretsSection.Read(root["secrets"].SectionOrEmpty()), SecretKeyring.None);

    /// <summary>Where the store is, before what is registered in it is known; null when the file does not say, which reading it whole tells.</summary>
    public static (StoreSettings Store, LedgerSettings Ledger)? ReadStore(string? path, IReadOnlyDictionary<string, string> environment)
    {
        var (settings, mistakes) = ReadPart<(StoreSettings, LedgerSettings)?>(
            path, environment,
            static root => (ProcessSections.Store(root["store"].SectionOrEmpty()), ProcessSections.Ledger(root["ledger"].SectionOrEmpty())), none: null);
        return mistakes.Count > 0 ? null : settings;
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

    private static (T Part, IReadOnlyList<ConfigurationMistake> Mistakes) ReadPart<T>(
        string? path, IReadOnlyDictionary<string, string> environment, Func<Section, T> read, T none)
    {
        var file = path is null ? null : Path.GetFullPath(path);
        var (text, mistake) = file is null ? ("", null) : TextOf(file);
        if (text is null)
        {
            return (none, Refused(path!, file!, mistake!).Mistakes);
        }

        var context = new ReadingContext(path ?? "(defaults)", Path.GetDirectoryName(file) ?? Directory.GetCurrentDirectory(), environment);
        var root = new YamlTree(text, context).Read();
        EnvironmentOverrides.Apply(root, context);
        return (read(new Section(root, "", context)), context.Mistakes);
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

        context.Keys = SecretsSection.Read(root["secrets"].SectionOrEmpty());
        var providers = ProviderSection.Read(root["providers"]);
        var deployments = DeploymentSection.Read(root["deployments"], providers);
        var models = ModelSection.Read(root["models"], deployments);
        var tiers = TenantSection.ReadTiers(root["tiers"]);
        var tenants = new TenantSection(providers, new KeySection(iam.Peppers)).ReadTenants(root["tenants"], tiers);
        if (iam.Platform is null)
        {
            ProviderSection.RequireTenants(root["providers"], tenants.Select(tenant => tenant.Tenant.Name).Append(FirstKey.DefaultTenant).Distinct());
        }

        var policy = PolicySection.Read(root["policy"].SectionOrEmpty(), context, providers, deployments);
        var configuration = new GatewayConfiguration
        {
            Revision = "",
            Store = ProcessSections.Store(root["store"].SectionOrEmpty()),
            Limiter = ProcessSections.Limiter(root["limiter"].SectionOrEmpty()),
            Iam = iam,
            Secrets = context.Keys,
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

    private static (string? Text, string? Mistake) TextOf(string file)
    {
        try
        {
            return !File.Exists(file) ? (null, "this file does not exist: check --config")
                : new FileInfo(file).Length > MaxFileBytes ? (null, $"larger than {MaxFileBytes >> 20} MB: this is no configuration")
                : (File.ReadAllText(file), null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return (null, "this file cannot be read: check its permissions");
        }
    }

    private static ConfigurationReading Refused(string source, string file, string message) => new()
    {
        Configuration = null,
        Mistakes = [new ConfigurationMistake(source, 0, 0, "", message)],
        Files = [file],
    };
}
