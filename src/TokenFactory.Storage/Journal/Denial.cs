namespace TokenFactory.Storage.Journal;

/// <summary>A request of a known caller that the policy did not let through. It is audited and costs nothing: it was never admitted.</summary>
public sealed record Denial : RequestFacts
{
    /// <summary>The code of the gateway's closed error list the caller was told.</summary>
    public required string Error { get; init; }

    /// <summary>The HTTP status the caller was told.</summary>
    public required int Status { get; init; }

    /// <summary>Why, in the words the caller was told.</summary>
    public required string Reason { get; init; }

    public required DateTimeOffset DeniedAt { get; init; }
}
