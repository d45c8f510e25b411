using TokenFactory.Storage.ModelAudit;

namespace TokenFactory.Storage.Outbox;

/// <summary>
/// A flag of the model audit as a CloudEvents 1.0 JSON object (docs/api/model-audit-event.schema.json). The bytes returned are valid until the
/// next call. Not for two threads.
/// </summary>
internal sealed class ModelAuditEventWriter : IDisposable
{
    public const string Type = "tokenfactory.model_audit.v1";

    private readonly EventEnvelope _event = new();

    public ReadOnlySpan<byte> Write(AuditFlag flag)
    {
        _event.Begin(flag.Id, Type, flag.InstanceId, flag.Deployment, flag.DetectedAt);
        var json = _event.Json;
        json.WriteStartObject();
        json.WriteString("flag_id"u8, flag.Id);
        json.WriteString("kind"u8, AuditedKinds.NameOf(flag.Kind));
        json.WriteString("deployment"u8, flag.Deployment);
        json.WriteString("provider"u8, flag.Provider);
        json.WriteString("region"u8, flag.Region);
        json.WriteString("upstream_model"u8, flag.UpstreamModel);
        json.WriteString("upstream_version"u8, flag.UpstreamVersion);
        UsageData.WriteTime(json, "since"u8, flag.Since);
        UsageData.WriteTime(json, "detected_at"u8, flag.DetectedAt);
        WriteSide("before"u8, flag.Before);
        WriteSide("after"u8, flag.After);
        json.WriteEndObject();
        return _event.End();

        void WriteSide(ReadOnlySpan<byte> name, string side)
        {
            if (AuditedKinds.IsName(flag.Kind))
            {
                json.WriteString(name, side);
                return;
            }

            json.WritePropertyName(name);
            json.WriteRawValue(side);
        }
    }

    public void Dispose() => _event.Dispose();
}
