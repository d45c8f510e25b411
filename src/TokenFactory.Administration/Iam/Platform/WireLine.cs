using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using TokenFactory.Administration.Configuration.Reading;

namespace TokenFactory.Administration.Iam.Platform;

/// <summary>Every member that any line may have, as JSON. Which of them a line's type uses is <see cref="LineReader"/>'s to know.</summary>
internal sealed record WireLine
{
    public string? Type { get; set; }

    public long? Schema { get; set; }

    public long? Version { get; set; }

    public long? Since { get; set; }

    public string? At { get; set; }

    public long? Entries { get; set; }

    public string? Of { get; set; }

    public string? Id { get; set; }

    public string? Name { get; set; }

    public string? Tenant { get; set; }

    public string? Project { get; set; }

    public string? User { get; set; }

    public string? Tier { get; set; }

    public string? Region { get; set; }

    public string? Department { get; set; }

    public WireProviders? Providers { get; set; }

    [JsonConverter(typeof(NanoUsdConverter))]
    public long? MaxUsdPerRequest { get; set; }

    public string? Strategy { get; set; }

    public WireLimits? Limits { get; set; }

    public WireBudgets? Budgets { get; set; }

    public long? MaxInputTokens { get; set; }

    public List<string?>? Models { get; set; }

    public List<string?>? Scopes { get; set; }

    public string? Expires { get; set; }

    public bool? Revoked { get; set; }

    public List<WireSecret?>? Secrets { get; set; }
}

internal sealed record WireProviders(List<string?>? Allow, List<string?>? Deny, string? Prefer);

internal sealed record WireLimits(long? RequestsPerMinute, long? TokensPerMinute, long? Concurrent);

internal sealed record WireBudgets(long? TokensPerMonth, [property: JsonConverter(typeof(NanoUsdConverter))] long? UsdPerMonth);

internal sealed record WireSecret(string? Hash, string? Expires);

/// <summary>A member that is there twice could be read either way: such a line is refused.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, AllowDuplicateProperties = false)]
[JsonSerializable(typeof(WireLine))]
internal sealed partial class WireJson : JsonSerializerContext;

/// <summary>USD as it is written, digit by digit: never through floating point.</summary>
internal sealed class NanoUsdConverter : JsonConverter<long>
{
    public override long Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.Number && Quantity.NanoUsd(Encoding.ASCII.GetString(reader.ValueSpan)) is { } amount
            ? amount
            : throw new JsonException(Quantity.UsdForm);

    public override void Write(Utf8JsonWriter writer, long value, JsonSerializerOptions options) => writer.WriteRawValue(Quantity.Usd(value));
}
