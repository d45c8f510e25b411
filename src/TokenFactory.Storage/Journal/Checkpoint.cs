using TokenFactory.Storage.Ledger;

namespace TokenFactory.Storage.Journal;

/// <summary>What a running stream has used so far: what an orphan is settled from when its process dies.</summary>
public sealed record Checkpoint(Guid RequestId, Placement Placement, Evidence Evidence, TokenUsage Tokens);
