using System.Collections.Frozen;
using TokenFactory.Administration.Configuration;
using TokenFactory.Administration.Configuration.Reading;
using TokenFactory.Inference.Intake;
using TokenFactory.Inference.Policy;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Policies;

namespace TokenFactory.Administration.Policies;

/// <summary>YAML → <see cref="PolicyDocument"/>, or every mistake at once (docs/operations/policy.md).</summary>
public static class PolicyDocumentReader
{
    private const int MaxRules = 1000;
    private const int MaxWords = 1000;
    private const long MaxFileBytes = 4 << 20;

    private static readonly PolicyAttribute[] _conditions = [.. Enum.GetValues<PolicyAttribute>().Where(attribute => attribute != PolicyAttribute.Control)];

    // Tenants, projects and models are the registry's words, not the bundle's.
    private static readonly PolicyAttribute[] _vocabulary =
    [
        PolicyAttribute.Tier, PolicyAttribute.Environment, PolicyAttribute.UseCase, PolicyAttribute.UserRole, PolicyAttribute.Region,
        PolicyAttribute.Classification, PolicyAttribute.SafetyProfile, PolicyAttribute.Control,
    ];

    // What nobody but the caller says.
    private static readonly PolicyAttribute[] _declaredAlone =
        [PolicyAttribute.Environment, PolicyAttribute.UseCase, PolicyAttribute.UserRole, PolicyAttribute.Classification, PolicyAttribute.SafetyProfile];

    /// <summary>Reads a file by itself, as <c>gateway policy test</c> does.</summary>
    public static (PolicyDocument? Document, IReadOnlyList<ConfigurationMistake> Mistakes) ReadFile(string path)
    {
        var context = new ReadingContext(path, Directory.GetCurrentDirectory(), FrozenDictionary<string, string>.Empty);
        var document = ReadFile(path, Path.GetFullPath(path), context, message => context.Mistake(new Origin(path, 0, 0), "", message));
        return (context.Mistakes.Count == 0 ? document : null, context.Mistakes);
    }

    /// <summary>Reads the file a configuration names; its mistakes are the configuration's. Null when it names none.</summary>
    internal static PolicyBundle? ReadBundle(Field field, ReadingContext context, Named<Provider> providers, Named<Deployment> deployments) =>
        field.Text(maxLength: 4096) is { } path
            ? ReadFile(path, Path.GetFullPath(path, context.Directory), context, field.Mistake, new Registered(providers, deployments))?.Bundle
            : null;

    private static PolicyDocument? ReadFile(string path, string file, ReadingContext context, Action<string> refuse, Registered? registered = null)
    {
        context.Files.Add(file);
        string text;
        try
        {
            if (!File.Exists(file))
            {
                refuse($"the file {path} does not exist: create it, or change the path");
                return null;
            }

            if (new FileInfo(file).Length > MaxFileBytes)
            {
                refuse($"the file {path} is larger than {MaxFileBytes >> 20} MB: this is no bundle");
                return null;
            }

            text = File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            refuse($"the file {path} cannot be read: check its permissions");
            return null;
        }

        var inner = context.Inner(path, Path.GetDirectoryName(file)!);
        var root = new YamlTree(text, inner).Read();
        context.SecretDigests.AddRange(Revisions.PartsOf(root));
        return Read(new Section(root, "", inner), registered);
    }

    private static PolicyDocument Read(Section root, Registered? registered)
    {
        var vocabulary = VocabularyOf(root["vocabulary"].SectionOrEmpty());
        var allowsByDefault = root["default"].Choice(("allow", true), ("deny", false)) ?? true;
        var rules = new Named<PolicyRule>("rule");
        foreach (var item in root["rules"].Required("the rules").Items(MaxRules) ?? [])
        {
            if (item.Required("a rule").Section() is { } section)
            {
                var id = section["id"].Required("the rule's id, told wherever it mattered").Name();
                var rule = RuleOf(section, id ?? "", vocabulary, registered);
                rules.Add(section["id"], id, rule);
                if (rule.Allow && !allowsByDefault)
                {
                    RefuseSelfService(section, rule);
                }
            }
        }

        var bundle = new PolicyBundle
        {
            Version = root["version"].Required("what this version of the rules is called").Name() ?? "",
            AllowsByDefault = allowsByDefault,
            Rules = [.. rules.Values],
            Vocabulary = vocabulary,
        };
        var cases = (root["tests"].Items() ?? []).Select(item => item.Required("a test").Section()).OfType<Section>().Select(section => CaseOf(section, rules)).ToList();
        root.RefuseUnknownKeys();
        return new PolicyDocument(bundle, cases);
    }

    private static FrozenDictionary<PolicyAttribute, FrozenSet<string>> VocabularyOf(Section section)
    {
        var vocabulary = new Dictionary<PolicyAttribute, FrozenSet<string>>();
        foreach (var attribute in _vocabulary)
        {
            if (section[PolicyWords.Of(attribute)] is { IsPresent: true } field)
            {
                vocabulary.Add(attribute, WordsOf(field));
            }
        }

        section.RefuseUnknownKeys();
        return vocabulary.ToFrozenDictionary();
    }

    private static PolicyRule RuleOf(Section section, string id, FrozenDictionary<PolicyAttribute, FrozenSet<string>> vocabulary, Registered? registered)
    {
        var when = ConditionOf(section["when"].SectionOrEmpty(), vocabulary);
        var controls = section["allow_with_controls"];
        var required = section["require_controls"];
        var rule = new PolicyRule
        {
            Id = id,
            When = when,
            Deny = section["deny"].ItemsOrOne(MaxWords) is { } codes ? [.. codes.Select(code => code.Required("a reason code").Name()).OfType<string>()] : null,
            Allow = (section["allow"].Flag() ?? false) || controls.IsPresent,
            Controls = KnownWords(controls.IsPresent ? controls : required, PolicyAttribute.Control, vocabulary),
            Restrict = RestrictionOf(section["restrict"], id, registered),
        };
        if (section["degrade"].Flag() == true)
        {
            rule = rule with { Restrict = (rule.Restrict ?? new Restriction { Rule = id }) with { OnlyManual = true } };
        }

        if (controls.IsPresent && required.IsPresent)
        {
            required.Mistake("write require_controls or allow_with_controls, which requires them too");
        }

        if (rule.Deny is { Count: 0 })
        {
            section["deny"].Mistake("empty: name the reason codes that a denied caller is told");
        }

        if (rule is { Deny: null, Allow: false, Controls.Count: 0, Restrict: null })
        {
            section.Mistake("this rule does nothing: write deny, degrade, allow, allow_with_controls, require_controls or restrict");
        }

        section.RefuseUnknownKeys();
        return rule;
    }

    private static RuleCondition ConditionOf(Section section, FrozenDictionary<PolicyAttribute, FrozenSet<string>> vocabulary)
    {
        var anyOf = new Dictionary<PolicyAttribute, FrozenSet<string>>();
        foreach (var attribute in _conditions)
        {
            var field = section[PolicyWords.Of(attribute)];
            if (!field.IsPresent)
            {
                continue;
            }

            var words = KnownWords(field, attribute, vocabulary);
            if (words.Count == 0)
            {
                field.Mistake("empty: it would never hold; leave it out to hold always");
            }

            anyOf.Add(attribute, words);
        }

        var missing = KnownWords(section["missing_controls"], PolicyAttribute.Control, vocabulary);
        section.RefuseUnknownKeys();
        return new RuleCondition { AnyOf = anyOf.ToFrozenDictionary(), MissingControls = missing };
    }

    private static Restriction? RestrictionOf(Field field, string rule, Registered? registered)
    {
        if (field.Section() is not { } section)
        {
            return null;
        }

        var restriction = new Restriction
        {
            Rule = rule,
            Providers = NamesOf(section["providers"], registered?.Providers),
            DeniedProviders = NamesOf(section["deny_providers"], registered?.Providers),
            Regions = [.. NamesOf<Provider>(section["regions"], null)],
            Deployments = NamesOf(section["deployments"], registered?.Deployments),
            Models = NamesOf<Deployment>(section["models"], null),
            Contract = [.. NamesOf<Provider>(section["contract"], null)],
        };
        section.RefuseUnknownKeys();
        if (restriction is { Providers.Count: 0, DeniedProviders.Count: 0, Regions.Count: 0, Deployments.Count: 0, Models.Count: 0, Contract.Count: 0 })
        {
            field.Mistake("it restricts nothing: write providers, deny_providers, regions, deployments, models or contract");
        }

        return restriction;
    }

    /// <summary>What a caller says of itself may narrow: it may not be what lets it in.</summary>
    private static void RefuseSelfService(Section section, PolicyRule rule)
    {
        foreach (var attribute in rule.When.AnyOf.Keys.Intersect(_declaredAlone))
        {
            section["when"].Mistake($"an allow may not rest on {PolicyWords.Of(attribute)}, which the caller says of itself: ask tenant, project, tier, region or model");
        }
    }

    private static PolicyCase CaseOf(Section section, Named<PolicyRule> rules)
    {
        var request = section["request"].SectionOrEmpty();
        var expect = section["expect"].Required("what the rules must say").SectionOrEmpty();
        var policyCase = new PolicyCase
        {
            Name = section["name"].Required("the test's name").Text() ?? "",
            Question = new PolicyQuestion(
                request["tenant"].Name() ?? "tenant",
                request["project"].Name() ?? "project",
                request["key_tier"].Name(),
                request["residency"].Name(),
                request["model"].Text() ?? "model",
                request["route"].Text() ?? request["model"].Text() ?? "model",
                new Governance
                {
                    Tier = request["tier"].Text(),
                    Environment = request["environment"].Text(),
                    UseCase = request["use_case"].Text(),
                    UserRole = request["user_role"].Text(),
                    Region = request["region"].Text(),
                    Classification = request["classification"].Text(),
                    SafetyProfile = request["safety_profile"].Text(),
                    Controls = [.. WordsOf(request["controls"])],
                }),
            On = DeploymentOf(section["on"]),
            IsAllowed = expect["effect"].Required("allow or deny").Choice(("allow", true), ("deny", false)) ?? false,
            Reasons = expect["reasons"].IsPresent ? [.. WordsOf(expect["reasons"])] : null,
            Rules = expect["rules"].Items()?.Select(item => rules.Find(item.Required("the id of a rule"))?.Id).OfType<string>().ToList(),
        };
        request.RefuseUnknownKeys();
        expect.RefuseUnknownKeys();
        section.RefuseUnknownKeys();
        return policyCase;
    }

    private static Deployment? DeploymentOf(Field field)
    {
        if (field.Section() is not { } section)
        {
            return null;
        }

        var contract = section["contract"].SectionOrEmpty();
        var facts = contract.Keys.ToFrozenDictionary(fact => fact, fact => contract[fact].Flag() ?? false, StringComparer.Ordinal);
        var provider = section["provider"].Name() ?? "provider";
        var kind = section["kind"].Choice(("openai", ProviderKind.OpenAi), ("loopback", ProviderKind.Loopback), ("manual", ProviderKind.Manual));
        var deployment = new Deployment
        {
            Name = section["deployment"].Name() ?? "deployment",
            Provider = new Provider(provider, kind ?? ProviderKind.OpenAi, section["region"].Name(), null) { Contract = facts },
            UpstreamModel = section["model"].Text(),
            Endpoints = [],
        };
        section.RefuseUnknownKeys();
        return deployment;
    }

    private static FrozenSet<string> KnownWords(Field field, PolicyAttribute attribute, FrozenDictionary<PolicyAttribute, FrozenSet<string>> vocabulary)
    {
        // Names are what they are; what people declare is the same in capitals.
        var exact = attribute is PolicyAttribute.Tenant or PolicyAttribute.Project or PolicyAttribute.Model;
        var words = WordsOf(field, exact ? StringComparer.Ordinal : StringComparer.OrdinalIgnoreCase);
        if (vocabulary.TryGetValue(attribute, out var known))
        {
            foreach (var word in words.Where(word => word != RuleCondition.Undeclared && !known.Contains(word)))
            {
                field.Mistake($"'{word}' is not in vocabulary.{PolicyWords.Of(attribute)}: {string.Join(", ", known.Order(StringComparer.Ordinal))}{KeySpelling.Suggest(word, known)}");
            }
        }

        return words;
    }

    /// <summary>An empty list would ask nothing where something was meant.</summary>
    private static FrozenSet<string> NamesOf<T>(Field field, Named<T>? registered)
        where T : class
    {
        var words = WordsOf(field, StringComparer.Ordinal);
        if (field.IsPresent && words.Count == 0)
        {
            field.Mistake("empty: name at least one, or leave it out");
        }

        if (registered is not null)
        {
            foreach (var item in field.ItemsOrOne(MaxWords) ?? [])
            {
                registered.Find(item);
            }
        }

        return words;
    }

    private static FrozenSet<string> WordsOf(Field field, StringComparer? comparer = null) =>
        (field.ItemsOrOne(MaxWords) ?? []).Select(item => item.Required("a word").Text()?.Trim()).OfType<string>().ToFrozenSet(comparer ?? StringComparer.OrdinalIgnoreCase);

    /// <summary>The names a bundle in force may use; a bundle that is tested by itself may use any.</summary>
    private sealed record Registered(Named<Provider> Providers, Named<Deployment> Deployments);
}
