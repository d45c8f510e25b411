namespace TokenFactory.Storage.Outbox;

/// <summary>The types of events that the gateway writes: CloudEvents' <c>type</c>.</summary>
public static class EventTypes
{
    /// <summary>One for each settlement and adjustment: what bills.</summary>
    public const string Usage = RecordedEvent.Usage;

    /// <summary>One for each denial.</summary>
    public const string Audit = RecordedEvent.Denial;

    /// <summary>The steps of a request before its settlement, where they are told.</summary>
    public const string Request = RequestEventWriter.Type;

    /// <summary>One for each change of a deployment that the model audit found.</summary>
    public const string ModelAudit = ModelAuditEventWriter.Type;
}
