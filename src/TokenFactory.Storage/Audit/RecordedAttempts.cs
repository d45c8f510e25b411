using System.Text.Json;
using TokenFactory.Storage.Journal;

namespace TokenFactory.Storage.Audit;

/// <summary>A request's tries, read back from the body of its audit record.</summary>
internal static class RecordedAttempts
{
    /// <returns>In their order; none where the body is none that the gateway writes.</returns>
    public static IReadOnlyList<Attempt> Read(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var record = JsonDocument.Parse(body);
            return [.. record.RootElement.GetProperty("attempts"u8).EnumerateArray().Select(static (attempt, index) => Of(attempt, index + 1))];
        }
        catch (Exception notARecord) when (notARecord is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or OverflowException)
        {
            // Somebody changed it. The verifier says so; a caller's page must not fall over it.
            return [];
        }
    }

    private static Attempt Of(JsonElement attempt, int ordinal) => new(
        ordinal,
        attempt.GetProperty("deployment"u8).GetString() ?? throw new FormatException("an attempt was made somewhere"),
        attempt.GetProperty("provider"u8).GetString() ?? throw new FormatException("an attempt was made somewhere"),
        attempt.GetProperty("region"u8).GetString(),
        attempt.GetProperty("status"u8) is { ValueKind: JsonValueKind.Number } status ? status.GetInt32() : null,
        attempt.GetProperty("error"u8).GetString(),
        attempt.GetProperty("started_at"u8).GetDateTimeOffset(),
        TimeSpan.FromMicroseconds((long)(attempt.GetProperty("duration_ms"u8).GetDecimal() * 1000)));
}
