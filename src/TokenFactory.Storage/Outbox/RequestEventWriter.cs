using TokenFactory.Storage.Journal;

namespace TokenFactory.Storage.Outbox;

/// <summary>
/// A request's step before its settlement as a CloudEvents 1.0 JSON object (docs/api/request-event.schema.json); its end is the usage event.
/// One buffer serves every event, so the bytes returned are valid until the next call. Not for two threads.
/// </summary>
internal sealed class RequestEventWriter : IDisposable
{
    public const string Type = "tokenfactory.request.v1";

    private const string Admission = "admitted";
    private const string CancelRequest = "cancel_requested";

    private readonly EventEnvelope _event = new();

    /// <summary>Made from the request's, so that what is written again is the same event.</summary>
    public static Guid AdmittedId(Guid requestId) => Ids.StepOf(requestId, Admission);

    public static Guid CancelRequestedId(Guid requestId) => Ids.StepOf(requestId, CancelRequest);

    public ReadOnlySpan<byte> Admitted(Admission admission)
    {
        Begin(AdmittedId(admission.RequestId), admission, Admission, admission.AcceptedAt);
        return End();
    }

    /// <param name="keyId">Whose key asked; null for the operator.</param>
    public ReadOnlySpan<byte> CancelRequested(Admission admission, string? keyId, DateTimeOffset at)
    {
        Begin(CancelRequestedId(admission.RequestId), admission, CancelRequest, at);
        _event.Json.WriteString("requested_by"u8, keyId);
        return End();
    }

    public void Dispose() => _event.Dispose();

    private void Begin(Guid id, Admission admission, string step, DateTimeOffset at)
    {
        _event.Begin(id, Type, admission.InstanceId, admission.Tenant, at);
        _event.Json.WriteStartObject();
        _event.Json.WriteString("step"u8, step);
        UsageData.WriteFacts(_event.Json, admission);
        UsageData.WritePolicy(_event.Json, admission);
        UsageData.WriteTime(_event.Json, "accepted_at"u8, admission.AcceptedAt);
    }

    private ReadOnlySpan<byte> End()
    {
        _event.Json.WriteEndObject();
        return _event.End();
    }
}
