using System.Buffers;
using System.Data.Common;
using System.Text;
using System.Text.Json;
using TokenFactory.Storage.Audit;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Storage.Outbox;

/// <summary>
/// What an audit record tells, as a CloudEvents 1.0 JSON object: a settlement or an adjustment (docs/api/usage-event.schema.json), or a
/// denial (docs/api/audit-event.schema.json). Its row in the outbox has no body of its own. A record never changes, so neither do the bytes:
/// a sink that took an event is a witness of the trail.
/// </summary>
internal sealed class RecordedEvent
{
    /// <summary>Of a settlement or an adjustment: its data is the record's data.</summary>
    public const string Usage = "tokenfactory.usage.v1";

    /// <summary>Of a denial: its data is the whole body of the record, byte for byte.</summary>
    public const string Denial = "tokenfactory.audit.v1";

    /// <summary>SQL, of the record r that a row o of the outbox is told by: what <see cref="Body"/> reads.</summary>
    public const string Columns = "r.body, r.kind, r.chain, r.sequence, r.previous, r.hash";

    /// <summary>SQL: which record that is; none where the row has a body of its own.</summary>
    public const string IsToldBy = "r.record_id = o.event_id AND coalesce(length(o.body), 0) = 0";

    private static readonly byte[] _usage = Encoding.UTF8.GetBytes(Usage);
    private static readonly byte[] _denial = Encoding.UTF8.GetBytes(Denial);

    private readonly ArrayBufferWriter<byte> _event = new(2048);

    /// <summary>What is to be relayed: the row's own body, or what its record tells.</summary>
    /// <param name="own">The column of the row's body.</param>
    /// <param name="record">The first of <see cref="Columns"/>.</param>
    /// <returns>Empty when nobody can tell it: there is no record, or somebody changed it.</returns>
    public byte[] Body(DbDataReader reader, StoredValues values, Guid eventId, string type, int own, int record)
    {
        if (reader.BytesOrNull(own) is { Length: > 0 } body)
        {
            return body;
        }

        return reader.BytesOrNull(record) is { } told && (reader.GetString(record + 1) == AuditKind.Denial) == (type == Denial)
            && AuditVerifier.IsHashOf(values.Id(reader, record + 2), reader.GetInt64(record + 3), reader.GetFieldValue<byte[]>(record + 4), told, reader.GetFieldValue<byte[]>(record + 5))
            ? Of(eventId, type, told) ?? []
            : [];
    }

    /// <param name="eventId">The record's.</param>
    /// <param name="type">One of the two.</param>
    /// <param name="body">The record's, byte for byte.</param>
    /// <returns>Null when the body is none that the gateway writes: somebody changed it.</returns>
    public byte[]? Of(Guid eventId, string type, ReadOnlySpan<byte> body)
    {
        try
        {
            var parts = Parts.Read(body, eventId);
            _event.ResetWrittenCount();
            Write("{\"specversion\":\"1.0\",\"id\":"u8, body[parts.Id]);
            Write(",\"type\":\""u8, type == Denial ? _denial : _usage);
            Write("\",\"source\":\"/gateways/"u8, body[parts.Instance][1..]);
            Write(",\"subject\":"u8, body[parts.Tenant]);
            Write(",\"time\":"u8, body[parts.At]);
            Write(",\"datacontenttype\":\"application/json\",\"data\":"u8, type == Denial ? body : body[parts.Data]);
            _event.Write("}"u8);
            return _event.WrittenSpan.ToArray();
        }
        catch (Exception notARecord) when (notARecord is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private void Write(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        _event.Write(name);
        _event.Write(value);
    }

    /// <summary>Where in the body the values are that the event takes over as they are written there, quotation marks included.</summary>
    private readonly record struct Parts(Range Id, Range Instance, Range Tenant, Range At, Range Data)
    {
        public static Parts Read(ReadOnlySpan<byte> body, Guid eventId)
        {
            Range id = default, instance = default, tenant = default, at = default, data = default;
            var reader = new Utf8JsonReader(body);
            reader.Read();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("id"u8))
                {
                    id = Text(ref reader, (ref Utf8JsonReader value) => value.TryGetGuid(out var said) && said == eventId);
                }
                else if (reader.ValueTextEquals("at"u8))
                {
                    at = Text(ref reader, static (ref Utf8JsonReader value) => value.TryGetDateTimeOffset(out _));
                }
                else if (reader.ValueTextEquals("instance"u8))
                {
                    instance = Text(ref reader, static (ref Utf8JsonReader value) => value.TryGetGuid(out _));
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

            return id.Equals(default) || instance.Equals(default) || tenant.Equals(default) || at.Equals(default) || data.Equals(default)
                ? throw new JsonException("A member is missing.")
                : new Parts(id, instance, tenant, at, data);
        }

        private static (Range Tenant, Range Data) ReadData(ref Utf8JsonReader reader)
        {
            var start = (int)reader.TokenStartIndex;
            Range tenant = default;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("tenant"u8))
                {
                    tenant = Text(ref reader, static (ref Utf8JsonReader _) => true);
                }
                else
                {
                    reader.Skip();
                }
            }

            return (tenant, start..(int)reader.BytesConsumed);
        }

        private static Range Text(ref Utf8JsonReader reader, Form form)
        {
            reader.Read();
            return reader.TokenType == JsonTokenType.String && form(ref reader) ? (int)reader.TokenStartIndex..(int)reader.BytesConsumed : throw new JsonException("A member is of another form.");
        }

        private delegate bool Form(ref Utf8JsonReader value);
    }
}
