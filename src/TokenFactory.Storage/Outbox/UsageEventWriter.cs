using TokenFactory.Storage.Journal;
using TokenFactory.Storage.Ledger;

namespace TokenFactory.Storage.Outbox;

/// <summary>
/// A settlement or an adjustment as a CloudEvents 1.0 JSON object (docs/api/usage-event.schema.json). One buffer serves every event, so the
/// bytes returned are valid until the next call. Not for two threads.
/// </summary>
internal sealed class UsageEventWriter : IDisposable
{
    public const string Type = "tokenfactory.usage.v1";

    private readonly EventEnvelope _event = new();

    public ReadOnlySpan<byte> Write(Settlement settlement) => Write(settlement.Admission.RequestId, settlement, settlement.Tokens, settlement.CostNanoUsd, adjusts: null);

    public ReadOnlySpan<byte> Write(Adjustment adjustment) =>
        Write(adjustment.Id, adjustment.Known, adjustment.Tokens, adjustment.CostNanoUsd, adjusts: adjustment.Known.Admission.RequestId);

    public void Dispose() => _event.Dispose();

    private ReadOnlySpan<byte> Write(Guid id, Settlement settlement, TokenUsage tokens, long costNanoUsd, Guid? adjusts)
    {
        var admission = settlement.Admission;
        _event.Begin(id, Type, admission.InstanceId, admission.Tenant, settlement.SettledAt);
        UsageData.Write(_event.Json, settlement, tokens, costNanoUsd, adjusts);
        return _event.End();
    }
}
