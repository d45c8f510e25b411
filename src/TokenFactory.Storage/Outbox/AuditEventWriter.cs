using TokenFactory.Storage.Audit;
using TokenFactory.Storage.Journal;

namespace TokenFactory.Storage.Outbox;

/// <summary>
/// A denial as a CloudEvents 1.0 JSON object (docs/api/audit-event.schema.json): its data is the body of its audit record, byte for byte, so that a
/// sink which took it is a witness of the trail. The bytes returned are valid until the next call. Not for two threads.
/// </summary>
internal sealed class AuditEventWriter : IDisposable
{
    public const string Type = "tokenfactory.audit.v1";

    private readonly EventEnvelope _event = new();
    private readonly AuditBodyWriter _bodies = new();

    public ReadOnlySpan<byte> Write(Denial denial)
    {
        _event.Begin(denial.RequestId, Type, denial.InstanceId, denial.Tenant, denial.DeniedAt);
        _event.Json.WriteRawValue(_bodies.Write(denial), skipInputValidation: true);
        return _event.End();
    }

    public void Dispose()
    {
        _event.Dispose();
        _bodies.Dispose();
    }
}
