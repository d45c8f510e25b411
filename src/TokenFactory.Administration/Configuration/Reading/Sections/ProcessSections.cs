using System.Text;
using Microsoft.Extensions.Logging;
using TokenFactory.Administration.Configuration.Settings;
using TokenFactory.Inference.Limits.Redis;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Keys;
using TokenFactory.Storage.Postgres;
using TokenFactory.Storage.Redis;

namespace TokenFactory.Administration.Configuration.Reading.Sections;

/// <summary>The sections about the process itself: store, limiter, iam, server, telemetry, guard, ledger.</summary>
internal static class ProcessSections
{
    private const int MinPepperBytes = 32;

    public static StoreSettings Store(Section section)
    {
        var kind = section["kind"].Choice(("sqlite", StoreKind.Sqlite), ("postgres", StoreKind.Postgres));
        var isRefused = kind is null && section["kind"].IsPresent;
        var settings = kind == StoreKind.Postgres ? Postgres(section) : new StoreSettings(StoreKind.Sqlite);
        if (kind != StoreKind.Postgres)
        {
            RefuseUnless(isRefused, section["connection"], "a sqlite store has no connection: it is a file in the data directory");
            RefuseUnless(isRefused, section["instance_lease"], "a sqlite store has one instance");
        }

        section.RefuseUnknownKeys();
        return settings;
    }

    public static LimiterSettings Limiter(Section section)
    {
        var kind = Available(section["kind"], [], ("local", LimiterKind.Local), ("redis", LimiterKind.Redis));
        var settings = kind == LimiterKind.Redis ? RedisLimiter(section) : new LimiterSettings(LimiterKind.Local);
        RefuseUnless(kind != LimiterKind.Local, section["connection"], "a local limiter has no connection: it counts in this process");
        RefuseUnless(kind != LimiterKind.Local, section["when_unavailable"], "a local limiter is always available");
        section.RefuseUnknownKeys();
        return settings;
    }

    private static LimiterSettings RedisLimiter(Section section)
    {
        var field = section["connection"].Required("where Redis is, a reference: env:NAME or file:PATH");
        var (connection, mistake) = field.Secret() is { } text ? RedisConnection.Parse(text.Reveal()) : (null, null);
        if (mistake is not null)
        {
            field.Mistake(mistake);
        }

        var unavailable = section["when_unavailable"].Choice(("deny", WhenUnavailable.Deny), ("share", WhenUnavailable.Share));
        return new LimiterSettings(LimiterKind.Redis, connection, unavailable ?? WhenUnavailable.Deny);
    }

    public static IamSettings Iam(Section section)
    {
        var isPlatform = section["mode"].IsPresent && section["mode"].Choice(("standalone", false), ("platform", true)) == true;
        var staleness = section["max_staleness"].Duration(TimeSpan.FromSeconds(2), TimeSpan.FromHours(1)) ?? TimeSpan.FromSeconds(30);
        var peppers = Peppers(section["pepper"]);
        var platform = isPlatform ? PlatformSection.Read(section, staleness) : null;
        if (!isPlatform)
        {
            PlatformSection.Refuse(section);
        }

        section.RefuseUnknownKeys();
        return new IamSettings { MaxStaleness = staleness, Peppers = peppers, Platform = platform };
    }

    /// <summary>Each replica would make a pepper of its own in its data directory, and know no key that another one made.</summary>
    public static void RequireSharedPepper(StoreSettings store, Field pepper)
    {
        if (store.Kind == StoreKind.Postgres && !pepper.IsPresent)
        {
            pepper.Mistake("missing: replicas of a postgres store need one pepper, a reference (env:NAME or file:PATH) to 32 bytes or more, such as 'openssl rand -hex 32' makes");
        }
    }

    public static ServerSettings Server(Section section)
    {
        var urls = section["urls"].ItemsOrOne(16)?.Select(item => item.Url()).ToArray();
        var settings = new ServerSettings
        {
            Urls = [.. (urls ?? []).OfType<Uri>()],
            BodyLimitBytes = section["body_limit"].SizeBytes(1 << 10, 1 << 30) ?? 32 << 20,
            BodyBudgetBytes = section["body_budget"].SizeBytes(1 << 20, 1L << 40),
            MaxDepth = (int)(section["max_depth"].Whole(4, 512) ?? 64),
            KeepAlive = section["keep_alive"].Duration(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(90)) ?? TimeSpan.FromSeconds(15),
            DrainDelay = section["drain_delay"].Duration(TimeSpan.Zero, TimeSpan.FromMinutes(10)) ?? TimeSpan.Zero,
            Drain = section["drain"].Duration(TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)) ?? TimeSpan.FromSeconds(30),
        };
        if (settings.BodyBudgetBytes < settings.BodyLimitBytes)
        {
            section["body_budget"].Mistake("smaller than body_limit: the largest body could never be read");
        }

        section.RefuseUnknownKeys();
        return settings;
    }

    public static TelemetrySettings Telemetry(Section section)
    {
        var endpoint = section["otlp_endpoint"].Url();
        var format = section["log_format"].Choice(("text", LogFormat.Text), ("json", LogFormat.Json));
        var level = section["log_level"].Choice(
            ("trace", LogLevel.Trace), ("debug", LogLevel.Debug), ("information", LogLevel.Information),
            ("warning", LogLevel.Warning), ("error", LogLevel.Error));
        section.RefuseUnknownKeys();
        return new TelemetrySettings(endpoint, format ?? LogFormat.Text, level ?? LogLevel.Information);
    }

    public static GuardSettings Guard(Section section)
    {
        var max = section["max_input_tokens"].Whole(1, Limits.MaxTokens);
        section.RefuseUnknownKeys();
        return new GuardSettings(max);
    }

    public static LedgerSettings Ledger(Section section)
    {
        var events = section["lifecycle_events"].Flag();
        section.RefuseUnknownKeys();
        return new LedgerSettings(events ?? false);
    }

    /// <summary>The chosen kind, the first by default; null when it was refused.</summary>
    public static T? Available<T>(Field field, string[] toCome, params ReadOnlySpan<(string Word, T Value)> choices)
        where T : struct
    {
        if (!field.IsPresent)
        {
            return choices[0].Value;
        }

        var word = field.Text();
        if (word is null || !toCome.Contains(word, StringComparer.OrdinalIgnoreCase))
        {
            return word is null ? null : field.Choice(choices);
        }

        field.Mistake($"'{word}' is not available in this version: use {choices[0].Word}");
        return null;
    }

    private static StoreSettings Postgres(Section section)
    {
        // Its keywords hold spaces ("SSL Mode"), and a mounted file ends in a newline.
        var bytes = section["connection"].Required("a reference, env:NAME or file:PATH").SecretBytes();
        var connection = bytes is null ? null : new Secret(Encoding.UTF8.GetString(bytes).Trim());
        if (connection is not null && PostgresStorageOptions.MistakeIn(connection.Reveal()) is { } mistake)
        {
            section["connection"].Mistake("this is no connection to PostgreSQL: " + mistake);
        }

        var lease = section["instance_lease"].Duration(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10));
        var settings = new StoreSettings(StoreKind.Postgres) { Connection = connection };
        return lease is { } given ? settings with { InstanceLease = given } : settings;
    }

    // One reference, or versions with the one new keys are digested under first.
    private static List<Pepper> Peppers(Field field)
    {
        var peppers = new List<Pepper>();
        if (field.IsText)
        {
            Add("v1", field);
            return peppers;
        }

        if (field.Section() is { } versions)
        {
            foreach (var version in versions.Keys.ToArray())
            {
                Add(version, versions[version]);
            }
        }

        return peppers;

        void Add(string version, Field reference)
        {
            if (version.Length > 16 || !version.All(char.IsAsciiLetterOrDigit))
            {
                reference.Mistake("a pepper's version has 1 to 16 letters and digits, such as v1");
            }
            else if (reference.Required("a reference, env:NAME or file:PATH").SecretBytes() is { } bytes)
            {
                // A file of exactly 32 random bytes may well end in a newline's byte; a longer text's newline is an editor's.
                var value = bytes.Length > MinPepperBytes ? Encoding.Latin1.GetBytes(Encoding.Latin1.GetString(bytes).TrimEnd('\r', '\n')) : bytes;
                if (value.Length < MinPepperBytes)
                {
                    reference.Mistake($"a pepper has {MinPepperBytes} bytes or more");
                    return;
                }

                peppers.Add(new Pepper(version, value));
            }
        }
    }

    // What belongs to a kind that was refused already is not a second mistake.
    private static void RefuseUnless(bool excused, Field field, string message)
    {
        if (field.IsPresent && !excused)
        {
            field.Mistake(message);
        }
    }
}
