using System.Text.Json;
using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Storage.Outbox;

/// <summary>A request as events and audit records tell it: the same members, in the same words.</summary>
internal static class UsageData
{
    /// <summary>Who asked for what.</summary>
    public static void WriteFacts(Utf8JsonWriter json, RequestFacts facts)
    {
        json.WriteString("request_id"u8, facts.RequestId);
        json.WriteString("tenant"u8, facts.Tenant);
        json.WriteString("project"u8, facts.Project);
        json.WriteString("department"u8, facts.Department);
        json.WriteString("user"u8, facts.User);
        json.WriteString("key_id"u8, facts.KeyId);
        json.WriteString("tier"u8, facts.Tier);
        json.WriteString("use_case"u8, facts.UseCase);
        json.WriteString("operation"u8, facts.Operation);
        json.WriteBoolean("stream"u8, facts.Stream);
        json.WriteString("model"u8, facts.Model);
    }

    /// <summary>What the policy decided, and by what.</summary>
    public static void WritePolicy(Utf8JsonWriter json, RequestFacts facts)
    {
        json.WriteString("policy_decision_id"u8, facts.PolicyDecisionId);
        json.WritePropertyName("policy"u8);
        if (facts.Policy is { } policy)
        {
            json.WriteRawValue(policy, skipInputValidation: true);
        }
        else
        {
            json.WriteNullValue();
        }
    }

    /// <summary>The whole of it.</summary>
    /// <param name="adjusts">The request this corrects; null when this is the request.</param>
    public static void Write(Utf8JsonWriter json, Settlement settlement, in TokenUsage tokens, long costNanoUsd, Guid? adjusts)
    {
        json.WriteStartObject();
        WriteFacts(json, settlement.Admission);
        WritePlace(json, settlement.Placement);
        WriteOutcome(json, settlement, tokens, costNanoUsd);
        if (adjusts is { } adjusted)
        {
            json.WriteString("adjusts"u8, adjusted);
        }

        json.WriteEndObject();
    }

    public static void WriteTime(Utf8JsonWriter json, ReadOnlySpan<byte> name, DateTimeOffset time)
    {
        // The round-trip form is the one that is written without looking at a pattern; three of its seven decimals are kept.
        Span<byte> text = stackalloc byte[28];
        time.UtcDateTime.TryFormat(text, out _, "O");
        text[23] = (byte)'Z';
        json.WriteString(name, text[..24]);
    }

    /// <summary>With three decimals at most: a microsecond is the finest the ledger keeps.</summary>
    public static void WriteMilliseconds(Utf8JsonWriter json, ReadOnlySpan<byte> name, TimeSpan span) =>
        json.WriteNumber(name, decimal.Divide(span.Ticks / TimeSpan.TicksPerMicrosecond, 1000));

    private static void WritePlace(Utf8JsonWriter json, Placement placement)
    {
        json.WriteString("deployment"u8, placement.Deployment);
        json.WriteString("provider"u8, placement.Provider);
        json.WriteString("region"u8, placement.Region);
        json.WriteString("upstream_model"u8, placement.UpstreamModel);
        json.WriteString("upstream_version"u8, placement.UpstreamVersion);
        if (placement.Site is { } site)
        {
            json.WritePropertyName("site"u8);
            json.WriteRawValue(site, skipInputValidation: true);
        }
    }

    private static void WriteOutcome(Utf8JsonWriter json, Settlement settlement, in TokenUsage tokens, long costNanoUsd)
    {
        json.WriteString("outcome"u8, WireNames.Of(settlement.Outcome));
        json.WriteString("evidence"u8, WireNames.Of(settlement.Evidence));
        json.WriteStartObject("tokens"u8);
        json.WriteNumber("input_uncached"u8, tokens.InputUncached);
        json.WriteNumber("cache_read"u8, tokens.CacheRead);
        json.WriteNumber("cache_write"u8, tokens.CacheWrite);
        json.WriteNumber("output"u8, tokens.Output);
        json.WriteNumber("reasoning"u8, tokens.Reasoning);
        json.WriteEndObject();
        json.WriteNumber("cost_nano_usd"u8, costNanoUsd);
        json.WriteString("price_id"u8, settlement.Placement.Price.Id);
        json.WriteNumber("attempts"u8, settlement.Attempts.Count);
        WritePolicy(json, settlement.Admission);
        WriteTime(json, "accepted_at"u8, settlement.Admission.AcceptedAt);
        WriteTime(json, "settled_at"u8, settlement.SettledAt);
        if (settlement.TimeToFirstToken is { } first)
        {
            WriteMilliseconds(json, "time_to_first_token_ms"u8, first);
        }
        else
        {
            json.WriteNull("time_to_first_token_ms"u8);
        }

        WriteMilliseconds(json, "duration_ms"u8, settlement.Duration);
    }
}
