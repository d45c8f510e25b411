using System.Collections.Frozen;
using System.Globalization;
using System.Text.Json;
using TokenFactory.Administration.Configuration;
using TokenFactory.Administration.Configuration.Reading;
using TokenFactory.Administration.Configuration.Reading.Sections;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Routes;

namespace TokenFactory.Administration.Iam.Platform;

/// <summary>
/// One line's bytes → what it says. Nothing of it opens a key that is not said completely and in bounds (P4): a fault makes
/// a closed key, a broken entry or a nameless line, and never an exception. For one answer and one thread.
/// </summary>
internal sealed class LineReader
{
    public const long Schema = 1;

    private const int MaxItems = 1000;
    private const int MaxScopes = 64;
    private const int MaxSecrets = 2;
    private const int MaxText = 256;

    private readonly Sharing _sharing = new();
    private string? _fault;

    public Line Read(ReadOnlySpan<byte> line)
    {
        WireLine? wire;
        try
        {
            wire = JsonSerializer.Deserialize(line, WireJson.Default.WireLine);
        }
        catch (JsonException e)
        {
            return Broken(LineIdentity.Find(line), e.Path is { Length: > 2 and <= 64 } path && path.All(char.IsAscii) && !path.Any(char.IsControl)
                ? $"it has not the contract's form at {path}"
                : "it has not the contract's form");
        }

        _fault = null;
        return wire?.Type switch
        {
            "read_model" => Header(wire),
            "end" => wire is { Version: { } version, Entries: { } entries } ? new EndLine(version, entries) : new NamelessLine("the end line is not complete"),
            "removed" => LineIdentity.Of(wire.Of, wire.Id, wire.Tenant, wire.Name) is { } id ? new RemovedEntry(id) : new NamelessLine("it does not say what is removed"),
            "tier" or "tenant" or "project" or "user" or "key" =>
                LineIdentity.Of(wire.Type, wire.Id, wire.Tenant, wire.Name) is { } id ? Entry(id, wire) : new NamelessLine($"it does not say which {wire.Type} it speaks of"),
            null => new NamelessLine("it has no type"),
            _ => IgnoredLine.Instance,
        };
    }

    private static Line Broken(SubjectId? id, string why) => id is { } known ? new BrokenEntry(known, why) : new NamelessLine(why);

    private static Line Header(WireLine wire) => wire switch
    {
        { Schema: not Schema } => new NamelessLine(string.Create(CultureInfo.InvariantCulture, $"it is of schema {wire.Schema}, not {Schema}")),
        { Version: { } version and >= 0 } => new HeaderLine(version, wire.Since, wire.At is { } at ? Moments.Parse(at) : null),
        _ => new NamelessLine("the header has no version"),
    };

    private Entry Entry(SubjectId id, WireLine wire)
    {
        Entry entry = id.Kind switch
        {
            SubjectKind.Tier => new TierEntry(id, new Tier(id.Name, LimitsOf(wire), Whole(wire.MaxInputTokens, Limits.MaxTokens, "max_input_tokens"), ModelsOf(wire))),
            SubjectKind.Tenant => new TenantEntry(
                id,
                Name(wire.Tier, "tier"),
                new Tenant(id.Name) { Region = Name(wire.Region, "region"), Routing = RoutingOf(wire), Limits = LimitsOf(wire) }),
            SubjectKind.Project => new ProjectEntry(id, new Project(id.Name, Name(wire.Department, "department"), ModelsOf(wire), LimitsOf(wire))),
            SubjectKind.User => new UserEntry(id, new User(id.Name, LimitsOf(wire))),
            _ => KeyOf(id, wire),
        };

        // A key keeps its digests, so that its holder hears that it is refused; a subject with a fault is not there.
        return _fault is null || entry is KeyEntry ? entry : new BrokenEntry(id, _fault);
    }

    private RoutingPolicy RoutingOf(WireLine wire)
    {
        if (wire.Providers is null && wire.MaxUsdPerRequest is null && wire.Strategy is null)
        {
            return RoutingPolicy.None;
        }

        var strategy = RoutingSection.StrategyOf(wire.Strategy);
        if (wire.Strategy is not null && strategy is null)
        {
            Fault("strategy is none of the contract's");
        }

        if (strategy == RoutingStrategy.Pinned && wire.Providers?.Prefer is null)
        {
            Fault("strategy is pinned without providers.prefer");
        }

        return new RoutingPolicy
        {
            AllowedProviders = NamesOf(wire.Providers?.Allow, "providers.allow"),
            DeniedProviders = NamesOf(wire.Providers?.Deny, "providers.deny"),
            PreferredProvider = Name(wire.Providers?.Prefer, "providers.prefer"),
            MaxNanoUsdPerRequest = wire.MaxUsdPerRequest,
            Strategy = strategy,
        };
    }

    private KeyEntry KeyOf(SubjectId id, WireLine wire)
    {
        var secrets = SecretsOf(wire);
        var key = new ApiKey
        {
            Id = id.Name,
            Name = Text(wire.Name, "name") is { } name ? _sharing.Text(name) : id.Name,
            Tenant = _sharing.Tenant(Name(wire.Tenant ?? Missing("tenant"), "tenant") ?? ""),
            Project = _sharing.Project(Name(wire.Project ?? Missing("project"), "project") ?? ""),
            User = Name(wire.User, "user") is { } user ? _sharing.User(user) : null,
            Scopes = ScopesOf(wire),
            Models = ModelsOf(wire),
            Limits = LimitsOf(wire),
            ExpiresAt = Moment(wire.Expires, "expires"),
            IsRevoked = wire.Revoked == true,
        };
        return new KeyEntry(id, key, secrets, _fault);
    }

    private List<SecretEntry> SecretsOf(WireLine wire)
    {
        var secrets = new List<SecretEntry>(1);
        foreach (var secret in wire.Secrets ?? [])
        {
            if (KeyHash.Parse(secret?.Hash) is not { } hash)
            {
                Fault("a secret's hash has not the form hmac-sha256:<pepper version>:<digest>");
            }
            else if (secrets.Count == MaxSecrets || secrets.Any(other => other.Digest == hash.Digest))
            {
                Fault($"it has more than {MaxSecrets} secrets, or one of them twice");
            }
            else
            {
                secrets.Add(new SecretEntry(hash.PepperVersion, hash.Digest, Moment(secret!.Expires, "secrets.expires")));
            }
        }

        if (wire.Secrets is null)
        {
            Missing("secrets");
        }

        return secrets;
    }

    private FrozenSet<string> ScopesOf(WireLine wire)
    {
        if (wire.Scopes is null)
        {
            Missing("scopes");
        }

        return _sharing.Scopes(Texts(wire.Scopes, MaxScopes, "scopes") ?? []);
    }

    private ModelAllowList ModelsOf(WireLine wire)
    {
        try
        {
            return _sharing.Models(Texts(wire.Models, MaxItems, "models"));
        }
        catch (FormatException)
        {
            Fault("models has an entry that is no name and no pattern");
            return ModelAllowList.Of([]);
        }
    }

    private LimitSet LimitsOf(WireLine wire)
    {
        if (wire.Limits is null && wire.Budgets is null)
        {
            return LimitSet.None;
        }

        return _sharing.Limits(new LimitSet
        {
            RequestsPerMinute = Whole(wire.Limits?.RequestsPerMinute, Limits.MaxRequestsPerMinute, "limits.requests_per_minute"),
            TokensPerMinute = Whole(wire.Limits?.TokensPerMinute, Limits.MaxTokens, "limits.tokens_per_minute"),
            Concurrent = Whole(wire.Limits?.Concurrent, Limits.MaxConcurrent, "limits.concurrent"),
            TokensPerMonth = Whole(wire.Budgets?.TokensPerMonth, Limits.MaxTokensPerMonth, "budgets.tokens_per_month"),
            NanoUsdPerMonth = Whole(wire.Budgets?.UsdPerMonth, long.MaxValue, "budgets.usd_per_month"),
        });
    }

    private long? Whole(long? number, long max, string member)
    {
        if (number < 1 || number > max)
        {
            Fault($"{member} is out of its bounds");
        }

        return number;
    }

    private FrozenSet<string> NamesOf(List<string?>? items, string member)
    {
        var texts = Texts(items, MaxItems, member);
        return texts?.Select(text => Name(text, member) ?? "").ToFrozenSet(StringComparer.Ordinal) ?? FrozenSet<string>.Empty;
    }

    private List<string>? Texts(List<string?>? items, int max, string member)
    {
        if (items is null)
        {
            return null;
        }

        if (items.Count > max || !items.TrueForAll(IsText))
        {
            Fault($"{member} has more than {max} entries, or one that is empty or too long");
            return [];
        }

        return items!;
    }

    private string? Name(string? text, string member)
    {
        if (text is null || Names.AreValid(text))
        {
            return text;
        }

        Fault($"{member} is no name");
        return null;
    }

    private string? Text(string? text, string member)
    {
        if (text is null || IsText(text))
        {
            return text;
        }

        Fault($"{member} is empty or too long");
        return null;
    }

    private static bool IsText(string? text)
    {
        if (text is null or { Length: 0 or > MaxText })
        {
            return false;
        }

        foreach (var character in text)
        {
            if (char.IsControl(character))
            {
                return false;
            }
        }

        return true;
    }

    private DateTimeOffset? Moment(string? text, string member)
    {
        var moment = text is null ? null : Moments.Parse(text);
        if (text is not null && moment is null)
        {
            Fault($"{member} is no date and time");
        }

        return moment;
    }

    private string? Missing(string member)
    {
        Fault($"it has no {member}");
        return null;
    }

    // The first is enough to look for.
    private void Fault(string why) => _fault ??= why;
}
