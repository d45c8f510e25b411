using System.Text.Json;

namespace TokenFactory.Storage.Outbox;

/// <summary>
/// What an audit record tells, as a CloudEvents 1.0 JSON object: a settlement or an adjustment (docs/api/usage-event.schema.json), or a
/// denial (docs/api/audit-event.schema.json). Its row in the outbox has no body of its own. A record never changes, so neither do the bytes:
/// a sink that took an event is a witness of the trail.
/// </summary>
internal sealed class RecordedEvent : IDisposable
{
    /// <summary>Of a settlement or an adjustment: its data is the record's data.</summary>
    public const string Usage = "tokenfactory.usage.v1";

    /// <summary>Of a denial: its data is the whole body of the record, byte for byte.</summary>
    public const string Denial = "tokenfactory.audit.v1";

    /// <summary>SQL: the body of the record that the row o is told by; null where the row has a body.</summary>
    public const string RecordOf = "CASE WHEN coalesce(length(o.body), 0) = 0 THEN (SELECT r.body FROM audit_records r WHERE r.record_id = o.event_id) END";

    private readonly EventEnvelope _event = new();

    /// <param name="own">The row's body; null or empty where there is none.</param>
    /// <param name="record">What <see cref="RecordOf"/> found.</param>
    /// <returns>Empty when neither tells anything.</returns>
    public byte[] Body(string type, byte[]? own, byte[]? record) => own is { Length: > 0 } ? own : record is null ? [] : Of(type, record) ?? [];

    /// <param name="type">One of the two.</param>
    /// <param name="body">The record's, byte for byte.</param>
    /// <returns>Null when the body is none that the gateway writes: somebody changed it.</returns>
    public byte[]? Of(string type, ReadOnlySpan<byte> body)
    {
        try
        {
            var head = Head.Read(body);
            _event.Begin(head.Id, type, head.Instance, head.Tenant, head.At);
            _event.Json.WriteRawValue(type == Denial ? body : body[head.Data], skipInputValidation: true);
            return _event.End().ToArray();
        }
        catch (Exception notARecord) when (notARecord is JsonException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    public void Dispose() => _event.Dispose();

    /// <summary>What the envelope says, and where in the body the data is.</summary>
    private readonly record struct Head(Guid Id, Guid Instance, string Tenant, DateTimeOffset At, Range Data)
    {
        public static Head Read(ReadOnlySpan<byte> body)
        {
            Guid? id = null, instance = null;
            string? tenant = null;
            DateTimeOffset? at = null;
            Range? data = null;
            var reader = new Utf8JsonReader(body);
            reader.Read();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("id"u8))
                {
                    reader.Read();
                    id = reader.GetGuid();
                }
                else if (reader.ValueTextEquals("at"u8))
                {
                    reader.Read();
                    at = reader.GetDateTimeOffset();
                }
                else if (reader.ValueTextEquals("instance"u8))
                {
                    reader.Read();
                    instance = reader.GetGuid();
                }
                else if (reader.ValueTextEquals("data"u8))
                {
                    reader.Read();
                    (tenant, data) = ReadData(ref reader);
                }
                else
                {
                    reader.Skip();
                }
            }

            return (id, instance, tenant, at, data) is ({ } one, { } writer, { } owner, { } moment, { } place)
                ? new Head(one, writer, owner, moment, place)
                : throw new JsonException("A member is missing.");
        }

        private static (string? Tenant, Range Data) ReadData(ref Utf8JsonReader reader)
        {
            var start = (int)reader.TokenStartIndex;
            string? tenant = null;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isTenant = reader.ValueTextEquals("tenant"u8);
                reader.Read();
                if (isTenant)
                {
                    tenant = reader.GetString();
                }
                else
                {
                    reader.Skip();
                }
            }

            return (tenant, start..(int)reader.BytesConsumed);
        }
    }
}
