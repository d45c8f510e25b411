using TokenFactory.Inference.ReadModel;

namespace TokenFactory.Administration.Configuration.Reading.Sections;

/// <summary>The <c>deployments</c>: one upstream model at one provider each.</summary>
internal static class DeploymentSection
{
    private const long MaxContextTokens = 100_000_000;
    private const long MaxQuality = 1_000_000;
    private const int MaxAnswerLength = 16_384;

    private static readonly TimeSpan _shortest = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan _longest = TimeSpan.FromHours(24);

    public static Named<Deployment> Read(Field field, Named<Provider> providers)
    {
        var deployments = new Named<Deployment>("deployment", StringComparer.OrdinalIgnoreCase);
        foreach (var item in field.Items(10_000) ?? [])
        {
            if (item.Required("a deployment").Section() is { } section)
            {
                var deployment = Read(section, providers);
                deployments.Add(section["name"], deployment.Name.Length > 0 ? deployment.Name : null, deployment);
            }
        }

        if (!deployments.Has(Builtin.Name))
        {
            var provider = providers.Values.First(p => p.Name == Builtin.Name);
            deployments.Add(field, Builtin.Name, new Deployment { Name = Builtin.Name, Provider = provider, Endpoints = [], Operations = Operations.Every, HealthPath = null });
        }

        return deployments;
    }

    private static Deployment Read(Section section, Named<Provider> providers)
    {
        var name = section["name"].Required("the deployment's name").Name();
        var provider = providers.Find(section["provider"].Required("the name of a provider"));
        if (name == Builtin.Name && provider is { Kind: not ProviderKind.Loopback })
        {
            section["name"].Mistake($"'{Builtin.Name}' is the built-in deployment: choose another name");
        }

        if (section.Bounds is not null && provider is { IsInside: false, IsRegistered: false })
        {
            // Its credential and what it may connect to were given for the endpoints that stand in the file.
            section["provider"].Mistake($"'{provider.Name}' is a provider of the file: a registered deployment is at a registered provider");
        }

        var operations = OperationsOf(section["operations"], provider);
        var health = section["health"].SectionOrEmpty();
        var healthPath = HealthPath(health["path"]);
        var healthInterval = health["interval"].Duration(TimeSpan.FromSeconds(1), TimeSpan.FromHours(1));
        health.RefuseUnknownKeys();
        var deployment = new Deployment
        {
            Name = name ?? "",
            Provider = provider ?? Builtin.Provider,
            Endpoints = Endpoints(section["endpoints"], provider),
            UpstreamModel = section["model"].Text(),
            Version = section["version"].Text(),
            Region = section["region"].Name(),
            Site = SiteSection.Read(section, provider),
            IsEnabled = section["enabled"].Flag() ?? true,
            Operations = operations,
            MaxContext = section["max_context"].Whole(1, MaxContextTokens),
            MaxOutput = section["max_output"].Whole(1, MaxContextTokens),
            Price = PriceSection.Read(section["usd_per_million"], name ?? "", operations),
            Quality = (int?)section["quality"].Whole(0, MaxQuality),
            ReadsMaxCompletionTokens = section["max_tokens_member"].Choice(("max_tokens", false), ("max_completion_tokens", true)) ?? false,
            StreamsUsage = section["streams_usage"].Flag() ?? true,
            ContinuousUsage = section["continuous_usage"].Flag() ?? false,
            Clocks = ClocksOf(section["timeouts"]),
            Circuit = CircuitOf(section["circuit"]),
            LowQuality = LowQualityOf(section["low_quality"], provider),
            RetryBudget = RetryBudgetOf(section["retry_budget"]),
            MaxRest = section["max_rest"].Duration(TimeSpan.Zero, TimeSpan.FromHours(1)) ?? TimeSpan.FromMinutes(1),
            HealthPath = provider is { IsInside: true } ? null : healthPath,
            Answer = AnswerOf(section["answer"], provider),
            Affinity = ReplicaSection.ReadAffinity(section["affinity"], provider),
            Load = ReplicaSection.ReadLoad(section["load"], provider),
            HealthInterval = healthInterval ?? TimeSpan.FromSeconds(10),
        };
        if (deployment.MaxOutput > deployment.MaxContext)
        {
            section["max_output"].Mistake("larger than max_context, which counts input and output together");
        }

        if (provider is { Kind: ProviderKind.Anthropic })
        {
            RefuseOpenAiMembers(section);
        }

        if (deployment is { ContinuousUsage: true, StreamsUsage: false })
        {
            section["continuous_usage"].Mistake("needs streams_usage: a backend that reports no usage cannot report it continuously");
        }

        section.RefuseUnknownKeys();
        return deployment;
    }

    /// <summary>How a dialect is spoken that an Anthropic backend does not speak.</summary>
    private static void RefuseOpenAiMembers(Section section)
    {
        foreach (var name in (string[])["max_tokens_member", "streams_usage", "continuous_usage"])
        {
            if (section[name].IsPresent)
            {
                section[name].Mistake("says how an OpenAI backend is spoken to; this one's provider is of kind anthropic");
            }
        }
    }

    private static List<Uri> Endpoints(Field field, Provider? provider)
    {
        var urls = new List<Uri>();
        if (provider is { IsInside: true })
        {
            if (field.IsPresent)
            {
                field.Mistake("a loopback or manual deployment has no endpoints: it answers inside the gateway");
            }

            return urls;
        }

        if (field.Required("one base URL per replica, such as http://10.0.0.5:8000/v1").ItemsOrOne(256) is not { } items)
        {
            return urls;
        }

        if (items.Count == 0)
        {
            field.Mistake("empty: name at least one base URL");
        }

        foreach (var item in items)
        {
            if (item.Required("a base URL").Url() is not { } url)
            {
                continue;
            }

            if (provider is not null)
            {
                EndpointRules.Judge(item, url, provider);
            }

            if (urls.Contains(url))
            {
                item.Mistake("this replica is listed twice: it would get twice its share");
            }

            urls.Add(url);
        }

        return urls;
    }

    private static string? AnswerOf(Field field, Provider? provider)
    {
        if (provider is not { Kind: ProviderKind.Manual })
        {
            if (field.IsPresent)
            {
                field.Mistake("only a deployment of a manual provider has an answer of its own");
            }

            return null;
        }

        var answer = field.Required("what callers are told when no backend may be asked or none can answer").Text();
        if (answer is { Length: 0 or > MaxAnswerLength })
        {
            field.Mistake($"write 1 to {MaxAnswerLength} characters");
        }

        return answer;
    }

    private static Operations OperationsOf(Field field, Provider? provider)
    {
        const Operations Spoken = Operations.Chat | Operations.Completions;
        if (field.ItemsOrOne(16) is not { } items)
        {
            return provider?.Kind switch
            {
                ProviderKind.Manual => Spoken,
                ProviderKind.Anthropic => Operations.Chat,
                ProviderKind.Loopback => Operations.Every,
                _ => Operations.Usual,
            };
        }

        var operations = Operations.None;
        foreach (var item in items)
        {
            operations |= item.Required("an operation").Choice(
                ("chat", Operations.Chat), ("completions", Operations.Completions), ("embeddings", Operations.Embeddings),
                ("moderations", Operations.Moderations), ("responses", Operations.Responses)) ?? Operations.None;
        }

        if (items.Count == 0)
        {
            field.Mistake($"empty: name {OperationNames.Known}, or leave it out for chat, completions and embeddings");
        }

        if (provider is { Kind: ProviderKind.Manual } && (operations & ~Spoken) != Operations.None)
        {
            field.Mistake("a manual deployment answers chat, and by it responses, and completions: an embedding or a verdict cannot be written by hand");
        }

        if (provider is { Kind: ProviderKind.Anthropic } && (operations & ~Operations.Chat) != Operations.None)
        {
            field.Mistake("an Anthropic backend serves chat, and by it responses: its dialect has no completions and no embeddings");
        }

        return operations;
    }

    private static Clocks? ClocksOf(Field field)
    {
        if (field.Section() is not { } section)
        {
            return null;
        }

        var clocks = new Clocks
        {
            Connect = section["connect"].Duration(_shortest, TimeSpan.FromMinutes(5)) ?? Clocks.Default.Connect,
            FirstByte = section["first_byte"].Duration(_shortest, _longest) ?? Clocks.Default.FirstByte,
            Idle = section["idle"].Duration(_shortest, _longest) ?? Clocks.Default.Idle,
            Total = section["total"].Duration(_shortest, _longest),
        };
        section.RefuseUnknownKeys();
        return clocks;
    }

    private static Circuit? CircuitOf(Field field)
    {
        if (field.Section() is not { } section)
        {
            return Circuit.Default;
        }

        var usual = Circuit.Default;
        var isOn = section["enabled"].Flag() ?? true;
        var circuit = new Circuit
        {
            FailureRatio = section["failure_percent"].Whole(1, 100) is { } percent ? percent / 100.0 : usual.FailureRatio,
            MinimumAttempts = (int?)section["min_attempts"].Whole(2, 100_000) ?? usual.MinimumAttempts,
            Window = section["window"].Duration(TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)) ?? usual.Window,
            Open = section["open"].Duration(TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)) ?? usual.Open,
        };
        section.RefuseUnknownKeys();
        return isOn ? circuit with { LongestOpen = circuit.Open > usual.LongestOpen ? circuit.Open : usual.LongestOpen } : null;
    }

    private static LowQuality? LowQualityOf(Field field, Provider? provider)
    {
        if (field.Section() is not { } section)
        {
            return null;
        }

        if (provider is { IsInside: true })
        {
            field.Mistake("a manual or built-in deployment says what it was told to say: leave it out");
        }

        var flaws = AnswerFlaws.None;
        foreach (var item in section["counts"].Required("which answers count").ItemsOrOne(8) ?? [])
        {
            flaws |= item.Required("what makes an answer one of low quality").Choice(("empty", AnswerFlaws.Empty), ("refused", AnswerFlaws.Refused), ("invalid", AnswerFlaws.Invalid)) ?? AnswerFlaws.None;
        }

        var usual = new LowQuality { Counts = flaws };
        var quality = usual with
        {
            Ratio = section["percent"].Whole(1, 100) is { } percent ? percent / 100.0 : usual.Ratio,
            MinimumAnswers = (int?)section["min_answers"].Whole(2, 100_000) ?? usual.MinimumAnswers,
            Window = section["window"].Duration(TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)) ?? usual.Window,
            Rest = section["rest"].Duration(TimeSpan.FromSeconds(1), TimeSpan.FromHours(24)) ?? usual.Rest,
        };
        section.RefuseUnknownKeys();
        return quality;
    }

    private static RetryBudget? RetryBudgetOf(Field field)
    {
        if (field.Section() is not { } section)
        {
            return RetryBudget.Default;
        }

        var isOn = section["enabled"].Flag() ?? true;
        var budget = new RetryBudget
        {
            Share = section["percent"].Whole(1, 1000) is { } percent ? percent / 100.0 : RetryBudget.Default.Share,
            PerSecond = (int?)section["per_second"].Whole(1, 100_000) ?? RetryBudget.Default.PerSecond,
        };
        section.RefuseUnknownKeys();
        return isOn ? budget : null;
    }

    private static string? HealthPath(Field field)
    {
        if (!field.IsPresent)
        {
            return "models";
        }

        var path = field.Text()?.Trim('/');
        if (string.Equals(path, "false", StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        if (path is "" || path?.Contains("://", StringComparison.Ordinal) == true)
        {
            field.Mistake("write a path below the endpoint such as models, or false for no probing");
        }

        return path;
    }
}
